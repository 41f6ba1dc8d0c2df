// What calls are answered that cannot succeed, and that the connection outlives them.
import { equal, ok, rejection } from './check.js';

export const errors = {
  'names an unknown method': async ({ connect }) => {
    const client = await connect();
    const error = await rejection(client.call('kit.does.not.exist', ['ignored']));
    equal(error, { code: -32601, message: 'Unregistered method called', data: 'kit.does.not.exist' });
    await isAlive(client);
  },

  'passes on the text of an error meant for clients': async ({ connect }) => {
    const client = await connect();
    const error = await rejection(client.call('kit.raise', ['out of paper']));
    equal([error.code, error.message], [-32001, 'Exception raised']);
    equal([error.data.method, error.data.exception], ['kit.raise', 'out of paper']);
    await isAlive(client);
  },

  'reports a result that cannot be serialised': async ({ connect }) => {
    const client = await connect();
    const error = await rejection(client.call('kit.unserialisable'));
    equal(error, { code: -32002, message: 'Method result cannot be serialized', data: 'kit.unserialisable' });
    await isAlive(client);
  },

  'drops an event that cannot be serialised': async ({ connect, topic }) => {
    const client = await connect();
    const events = client.collect(topic, 1);
    await client.call('kit.publish.unserialisable', [topic]);
    await client.call('kit.publish', [topic, 'the next one']);
    equal(await events, ['the next one']);
  },

  'explains which argument is wrong': async ({ connect }) => {
    const client = await connect();
    const wrong = [
      ['a', 'kit.defaults', []],
      ['unheard', 'kit.defaults', [1], { unheard: 2 }],
      ['a', 'kit.defaults', [1], { a: 1 }],
      ['ms', 'kit.sleep', ['soon']],
      [null, 'kit.defaults', [1, 2, 3, 4]],
    ];
    for (const [param, ...call] of wrong) {
      const error = await rejection(client.call(...call));
      equal([error.code, error.message, error.data.param], [-32602, 'Invalid params', param]);
      ok('expected' in error.data && 'got' in error.data, `no explanation in ${JSON.stringify(error.data)}`);
    }
    await isAlive(client);
  },

  'survives a panic': async ({ connect }) => {
    const client = await connect();
    const error = await rejection(client.call('kit.panic'));
    equal([error.code, error.message, error.data.method], [-32001, 'Exception raised', 'kit.panic']);
    await isAlive(client);
  },
};

async function isAlive(client) {
  equal(await client.call('kit.echo', ['alive']), { args: ['alive'], kwargs: {} });
}
