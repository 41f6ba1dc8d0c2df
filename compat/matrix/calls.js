// Arguments and results of calls.
import { equal } from './check.js';

export const calls = {
  'answers null': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('kit.null'), null);
  },

  'echoes nested arguments': async ({ connect }) => {
    const client = await connect();
    const value = { list: [1, -2, 3.5, true, null, [], {}, ''], deep: [[[[{ a: { b: [0] } }]]]] };
    equal(await client.call('kit.echo', [value, 1], { x: value }), { args: [value, 1], kwargs: { x: value } });
  },

  'echoes unicode': async ({ connect }) => {
    const client = await connect();
    const text = 'Grüße, 東京 — 🦀 "\\\n\t\u0000\u2028 שלום';
    equal(await client.call('kit.echo', [text], { [text]: text }), { args: [text], kwargs: { [text]: text } });
  },

  'keeps integers exact': async ({ connect }) => {
    const client = await connect();
    const numbers = [0, -1, 127, 128, 65536, 2 ** 31, 2 ** 32, -(2 ** 31), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    equal((await client.call('kit.echo', [numbers])).args[0], numbers);
  },

  'keeps floats exact': async ({ connect }) => {
    const client = await connect();
    const numbers = [0.1, -1.5, 1e-300, 1.7976931348623157e308, 5e-324, Math.PI];
    equal((await client.call('kit.echo', [numbers])).args[0], numbers);
  },

  'fills defaults by position and by name': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('kit.defaults', [1]), [1, 2, null]);
    equal(await client.call('kit.defaults', [1, 5]), [1, 5, null]);
    equal(await client.call('kit.defaults', [1], { c: 'x' }), [1, 2, 'x']);
    equal(await client.call('kit.defaults', [], { c: 3, b: 2, a: 1 }), [1, 2, 3]);
  },

  'matches 100 concurrent calls': async ({ connect }) => {
    const client = await connect();
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const slow = numbers.map((n) => client.call('kit.sleep', [(n * 7) % 40]));
    const results = await Promise.all(numbers.map((n) => client.call('kit.echo', [n])));
    equal(results.map((result) => result.args[0]), numbers);
    await Promise.all(slow);
  },
};
