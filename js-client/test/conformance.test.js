// The conformance suite that the Rust core records, on this client.
import { describe, test } from 'node:test';
import { replay } from './conformance/replay.js';
import { recordedCases } from './harness/recorded.js';

for (const wire of ['v1', 'v2']) {
  const cases = await recordedCases(wire);
  describe(`conformance, ${wire}`, () => {
    for (const { case: title, steps } of cases) test(title, () => replay(wire, steps));
  });
}
