// The conformance suite that the Rust core records.
import { readFile } from 'node:fs/promises';

export async function recordedCases(wire) {
  const file = new URL(`../../../wslink-core/tests/conformance/${wire}.json`, import.meta.url);
  return JSON.parse(await readFile(file, 'utf8'));
}

export const recordedTitles = async (wire) => (await recordedCases(wire)).map(({ case: title }) => title);
