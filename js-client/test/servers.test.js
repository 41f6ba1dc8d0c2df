// Runs the cases in node against the Rust server and the stock Python servers, in both generations.
import { after, before, describe, test } from 'node:test';
import { CASES, run } from './cases/index.js';
import './harness/node-websocket.js';
import { startPython, startRust } from './harness/servers.js';

const SERVERS = [
  { name: 'the Rust server', wire: 'v1', start: () => startRust('kit') },
  { name: 'the Rust server', wire: 'v2', start: () => startRust('kit') },
  { name: 'Python 1.12.4', wire: 'v1', start: () => startPython('1.12.4') },
  { name: 'Python 2.6.0', wire: 'v2', start: () => startPython('2.6.0') },
];

for (const { name, wire, start } of SERVERS) {
  describe(`${wire} with ${name}`, () => {
    let server;
    before(async () => {
      server = await start();
    });
    after(() => server?.stop());

    for (const title of Object.keys(CASES)) {
      test(title, { timeout: 60_000 }, async (context) => {
        if (server) await run(title, { url: server.url, wire });
        else context.skip('there is no Python');
      });
    }
  });
}
