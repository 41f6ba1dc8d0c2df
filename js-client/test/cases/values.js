// What becomes of JavaScript's values on their way to a server and back, with every server.
import { UnsupportedValue } from 'wslink-client';
import { equal, pattern, rejects } from './check.js';

const echoed = async (session, ...values) => (await session.call('kit.echo', values)).args;

export const values = {
  async 'integers are exact'({ session }) {
    const sent = [2 ** 53, -(2 ** 53), 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), 2 ** 63, 2 ** 60];
    equal(await echoed(session, ...sent), sent.map(BigInt));
    equal(await echoed(session, 5n, -7n, 2n ** 53n - 1n), [5, -7, 2 ** 53 - 1]);
  },

  async 'numbers that are no integers of 64 bits are floats'({ session }) {
    const sent = [2 ** 64, 1e300, -1e300, 0.1, 5e-324, 1.5e17 + 0.5, 3.25];
    equal((await echoed(session, ...sent)).map(Number), sent);
    equal(Object.is((await echoed(session, -0))[0], -0), true);
  },

  async 'an integer that no server of 64 bits takes'({ session }) {
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n, 2n ** 200n]) {
      await rejects(session.call('kit.echo', [{ big: [value] }]), UnsupportedValue, { path: 'args[0].big[0]' });
    }
  },

  async 'Map, Set, Date and whatever has a JSON form'({ session }) {
    const sent = [
      new Map([
        ['a', 1],
        [2, new Set([3, [4]])],
      ]),
      new Date(0),
      new URL('http://localhost/'),
      [undefined, , null],
      Object.assign(Object.create(null), { x: 1 }),
      new (class Point {
        x = 1;
      })(),
    ];
    const got = [{ 2: [3, [4]], a: 1 }, '1970-01-01T00:00:00.000Z', 'http://localhost/', [null, null, null]];
    equal(await echoed(session, ...sent), [...got, { x: 1 }, { x: 1 }]);
  },

  async 'values that cannot be sent'({ session }) {
    const cycle = { down: [{}] };
    cycle.down[0].up = cycle;
    const refused = {
      'a cycle': [cycle, 'args[0].down[0].up'],
      'a function': [{ f: () => {} }, 'args[0].f'],
      'a symbol': [Symbol('s'), 'args[0]'],
      'a regular expression': [[/x/], 'args[0][0]'],
      'an error': [new Error('e'), 'args[0]'],
      'a promise': [Promise.resolve(1), 'args[0]'],
      'a map with other keys': [new Map([[{}, 1]]), 'args[0]'],
      'an invalid date': [new Date(NaN), 'args[0]'],
    };
    for (const [what, [value, path]] of Object.entries(refused)) {
      equal((await rejects(session.call('kit.echo', [value]), UnsupportedValue)).path, path, what);
    }
    let deep = 1;
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
    await rejects(session.call('kit.echo', [deep]), UnsupportedValue);
    await rejects(
      session.call('kit.echo', [Object.defineProperty({}, 'x', { enumerable: true, get: boom })]),
      RangeError,
    );
    equal(await echoed(session, 'goes on'), ['goes on']);
  },

  async 'names that objects have already'({ session }) {
    const sent = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}');
    const [got] = await echoed(session, sent);
    equal(Object.keys(got).sort(), ['__proto__', 'constructor', 'toString']);
    equal(Object.getOwnPropertyDescriptor(got, '__proto__').value, { polluted: 1 });
    equal(got.polluted === undefined && {}.polluted === undefined, true);
  },

  async 'text with a byte order mark, and beside words that JSON does not have'({ session }) {
    const sent = ['\ufeffmarked', `${'long '.repeat(200_000)}\\" NaN 12345678901234567890`, NaN, 12345678901234567890n];
    equal(await echoed(session, ...sent), sent);
  },

  async 'binary results own their memory, aligned for every typed array'({ session }) {
    const results = await Promise.all([1, 8, 4097, 600_000].map((size) => session.call('kit.blob', [size])));
    for (const bytes of results) {
      new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
      equal(bytes.buffer.byteLength, bytes.length);
    }
    const [first, ...others] = results;
    structuredClone(first, { transfer: [first.buffer] });
    equal(
      others,
      [8, 4097, 600_000].map((size) => pattern(size)),
    );
  },

  async 'a stream of bytes as an argument'({ session }) {
    const stream = new Blob([pattern(300_000)]).stream();
    equal((await session.call('kit.blob.info', [stream])).length, 300_000);
  },
};

function boom() {
  throw new RangeError('the getter');
}
