// Runs the conformance suite and every case in the runtime that executes this file, with a server of each version:
// `RUNTIME all.js [[URL, WIRE], …]`.
import process from 'node:process';
import { CASES, run } from '../cases/index.js';
import { replay } from '../conformance/replay.js';
import { recordedCases } from './recorded.js';

async function report(wire, title, outcome) {
  const error = await outcome.then(
    () => undefined,
    (reason) => `${reason}\n${reason?.stack}`,
  );
  console.log(JSON.stringify({ wire, title, error }));
}

for (const [url, wire] of JSON.parse(process.argv[2])) {
  for (const { case: title, steps } of await recordedCases(wire)) {
    await report(wire, `conformance ${title}`, replay(wire, steps));
  }
  for (const title of Object.keys(CASES)) await report(wire, title, run(title, { url, wire }));
}
process.exit(0);
