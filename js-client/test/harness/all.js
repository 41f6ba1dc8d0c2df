// Runs every case in the runtime that executes this file, with a server of each version: `RUNTIME all.js [[URL, WIRE], …]`.
import process from 'node:process';
import { CASES, run } from '../cases/index.js';

for (const [url, wire] of JSON.parse(process.argv[2])) {
  for (const title of Object.keys(CASES)) {
    const error = await run(title, { url, wire }).then(
      () => undefined,
      (reason) => `${reason}\n${reason?.stack}`,
    );
    console.log(JSON.stringify({ wire, title, error }));
  }
}
process.exit(0);
