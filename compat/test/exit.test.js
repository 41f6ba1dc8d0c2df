// How the stock clients make a server end.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startServer } from '../harness/server.js';
import { stock } from '../harness/stock-clients.js';
import { PROTOCOLS } from '../matrix/index.js';
import { StockClient } from '../matrix/stock-client.js';

for (const protocol of PROTOCOLS) {
  describe(`${protocol} ends a server`, { timeout: 60_000 }, () => {
    // Runs `use` with two clients of a server that has to end by itself afterwards.
    const withServer = async (use) => {
      const server = await startServer('simple');
      try {
        const clients = [0, 1].map(() => new StockClient(stock[protocol], { url: server.socketUrl }));
        await Promise.all(clients.map((client) => client.open()));
        await use(...clients);
        assert.equal(await server.exited, 0);
      } finally {
        await server.stop();
      }
    };

    test('at once', () =>
      withServer(async (caller, other) => {
        const closed = [caller, other].map((client) => client.closed());
        assert.equal(await caller.call('application.exit'), null);
        for (const event of await Promise.all(closed)) {
          assert.deepEqual([event.code, event.reason], [1001, 'Server shutdown']);
        }
      }));

    test('later', () =>
      withServer(async (caller, other) => {
        const closed = other.closed();
        assert.equal(await caller.call('application.exit.later', [0.2]), null);
        assert.equal((await closed).code, 1001);
      }));

    test('later, asked by the last words of a client', () =>
      withServer(async (caller) => {
        // What `destroy` of the stock client does; that one then fails at whatever it still receives.
        caller.session.call('application.exit.later', [0.2]);
        await caller.close();
      }));
  });
}
