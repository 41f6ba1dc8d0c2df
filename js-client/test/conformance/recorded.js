// The recordings as a bundle of a page holds them.
import v1 from '../../../wslink-core/tests/conformance/v1.json';
import v2 from '../../../wslink-core/tests/conformance/v2.json';
import { replay } from './replay.js';

const RECORDED = { v1, v2 };

export const titles = (wire) => RECORDED[wire].map(({ case: title }) => title);

export const replayCase = (wire, title) =>
  replay(wire, RECORDED[wire].find((recorded) => recorded.case === title).steps);
