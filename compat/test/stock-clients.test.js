// Runs the matrix with both stock clients in node.
import { after, before, describe, test } from 'node:test';
import { startServer } from '../harness/server.js';
import { stock } from '../harness/stock-clients.js';
import { CASES, PROTOCOLS, run } from '../matrix/index.js';

for (const [name, cases] of Object.entries(CASES)) {
  describe(`${name} in node`, () => {
    let server;
    before(async () => {
      server = await startServer(name);
    });
    after(() => server?.stop());

    for (const protocol of PROTOCOLS) {
      for (const title of Object.keys(cases)) {
        test(`${protocol} ${title}`, { timeout: 120_000 }, () =>
          run({ server: name, name: title, protocol, stock, url: server.socketUrl }),
        );
      }
    }
  });
}
