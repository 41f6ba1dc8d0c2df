// What the page of the browser tests offers to them.
import { connect } from 'wslink-client';
import * as stockV1 from 'wslink-client/stock-v1';
import * as stockV2 from 'wslink-client/stock';
import { run } from '../cases/index.js';
import { stock } from '../cases/stock.js';
import { replayCase } from '../conformance/recorded.js';
import * as npmV1 from 'wslink-v1';
import * as npmV2 from 'wslink-v2';

const CLASSES = { npmV1, npmV2, stockV1, stockV2 };

window.connect = connect;
window.runCase = run;
window.replayCase = replayCase;
window.runStock = (title, classes, options) => stock[title]({ ...CLASSES[classes], ...options });
