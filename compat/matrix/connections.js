// Opening, refusing, closing and opening again.
import { equal, ok, rejection } from './check.js';

export const connections = {
  'refuses a wrong secret and accepts the right one later': async ({ connect }) => {
    const error = await rejection(connect({ secret: 'not the secret' }));
    equal(error, { code: -32000, message: 'Authentication failed' });
    const client = await connect();
    equal(await client.call('kit.null'), null);
  },

  'connects through SmartConnect': async ({ connect }) => {
    const client = await connect({ smart: true });
    equal(await client.call('kit.echo', [1]), { args: [1], kwargs: {} });
  },

  'reconnects after closing': async ({ connect }) => {
    const client = await connect();
    for (let round = 0; round < 3; round += 1) {
      equal((await client.call('kit.echo', [round])).args, [round]);
      const event = await client.close();
      ok(event.wasClean, `the connection closed uncleanly (${event.code} ${event.reason})`);
      await client.open();
    }
    equal(await client.call('kit.null'), null);
  },

  'refuses calls on a closed connection itself': async ({ connect }) => {
    const client = await connect();
    const { session } = client;
    await client.close();
    equal((await rejection(session.call('kit.null'))).code, -32099);
    await client.open();
  },

  'is not disturbed by a client that leaves during a call': async ({ connect }) => {
    const [leaver, stayer] = [await connect(), await connect()];
    leaver.session.call('kit.sleep', [50]);
    await leaver.close();
    await stayer.call('kit.sleep', [100]);
    equal(await stayer.call('kit.null'), null);
    await leaver.open();
  },

  'serves both protocols at once': async ({ connect }) => {
    const clients = await Promise.all(['v1', 'v2', 'v1', 'v2'].map((protocol) => connect({ protocol })));
    const calls = clients.flatMap((client, i) => [0, 1, 2].map((n) => client.call('kit.echo', [10 * i + n])));
    const results = await Promise.all(calls);
    equal(results.map((result) => result.args[0]), [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]);
  },
};
