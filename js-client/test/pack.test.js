// Our MessagePack against the reference implementation, and the structures that keep memory and time bounded.
import assert from 'node:assert/strict';
import { decode, encode } from '@msgpack/msgpack';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect } from 'wslink-client';
import { createQueue } from '../dist/queue.js';
import { after } from '../dist/timer.js';
import { pack as packed } from '../dist/wire/pack.js';
import * as reader from '../dist/wire/unpack.js';
import { utf8Length } from '../dist/wire/utf8.js';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

const pack = (value) => Buffer.concat(packed(value));
const unpack = (bytes) => {
  reader.open([bytes]);
  const value = reader.value();
  assert.deepEqual([reader.left, reader.problem], [0, undefined]);
  return value;
};

/** The same numbers each time. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

function anything(next, depth = 0) {
  const kinds = depth > 4 ? 7 : 9;
  switch (next(kinds)) {
    case 0:
      return [null, true, false][next(3)];
    case 1:
      return next(2 ** 32) - 2 ** 31;
    case 2:
      return (next(2) ? 1 : -1) * next(2 ** 21) * 2 ** (next(32) + 1) + next(100);
    case 3:
      return next(2 ** 32) / (next(1000) + 1);
    case 4:
      return String.fromCodePoint(
        ...Array.from({ length: next(60) }, () => [65, 0xe4, 0x20ac, 0x1f980][next(4)] + next(20)),
      );
    case 5:
      return new Uint8Array(next(300)).fill(next(256));
    case 6:
      return 'a'.repeat(next(3) === 0 ? next(70_000) : next(40));
    case 7:
      return Array.from({ length: next(20) }, () => anything(next, depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: next(20) }, (_, at) => [`k${at}`, anything(next, depth + 1)]));
  }
}

describe('MessagePack', () => {
  test('is that of the reference implementation, byte by byte', () => {
    const next = random(7);
    for (let n = 0; n < 2000; n += 1) {
      const value = anything(next);
      const bytes = pack(value);
      assert.deepEqual(new Uint8Array(bytes), new Uint8Array(encode(value)));
      assert.deepEqual(unpack(bytes), decode(new Uint8Array(bytes)));
    }
  });

  test('is read across the borders of chunks, wherever they are', () => {
    const next = random(3);
    for (let n = 0; n < 500; n += 1) {
      const value = anything(next);
      const bytes = new Uint8Array(pack(value));
      const chunks = [];
      for (let at = 0; at < bytes.length;) {
        const length = Math.min(1 + next(n % 2 ? 20 : 5000), bytes.length - at);
        chunks.push(bytes.subarray(at, (at += length)));
      }
      reader.open(chunks);
      assert.deepEqual(reader.value(), value === undefined ? null : decode(bytes));
      assert.equal(reader.left, 0);
      assert.throws(() => reader.value(), RangeError);
    }
    const large = new Uint8Array(100_000).map((_, at) => at);
    const bytes = new Uint8Array(pack([large, 7]));
    const thirds = [bytes.subarray(0, 30_001), bytes.subarray(30_001, 90_000), bytes.subarray(90_000)];
    reader.open(thirds);
    const [copy, seven] = reader.value();
    assert.deepEqual([copy, seven, copy.buffer.byteLength], [large, 7, 100_000]);
  });

  test('takes the shortest form at each border', () => {
    const borders = [7, 8, 15, 16, 31, 32, 53].flatMap((bits) => [2 ** bits - 1, -(2 ** bits) + 1]);
    const around = [...borders, 31, 32, -32, -33, 127, 128, 255, 256, -128, -129, 65_535, 65_536, -32_768, -32_769];
    for (const value of [...around, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1]) {
      assert.deepEqual(new Uint8Array(pack(value)), new Uint8Array(encode(value)), String(value));
      assert.equal(unpack(pack(value)), value);
    }
    for (const length of [31, 32, 255, 256, 65_535, 65_536]) {
      const values = ['x'.repeat(length), new Uint8Array(length), Array(length).fill(0)];
      for (const value of values) assert.deepEqual(new Uint8Array(pack(value)), new Uint8Array(encode(value)));
    }
  });

  test('reads dates, and both precisions of floats', () => {
    for (const date of [new Date(0), new Date(1e12 + 5), new Date(-1), new Date(2 ** 34 * 1000)]) {
      assert.deepEqual(unpack(encode(date)), date);
    }
    assert.equal(unpack(Uint8Array.of(0xca, 0x3f, 0xc0, 0, 0)), 1.5);
  });

  test('survives whatever bytes come: a value, or an error that is caught', () => {
    const next = random(11);
    for (let n = 0; n < 20_000; n += 1) {
      const bytes = Uint8Array.from({ length: next(40) }, () => next(256));
      try {
        reader.open([bytes]);
        reader.value();
      } catch (error) {
        assert.equal(error instanceof RangeError, true, String(error));
      }
    }
  });

  test('counts the bytes of text as they are written', () => {
    for (const text of ['', 'a', 'ä', '€', '🦀', '\ud83e', 'a\udd80b', '🦀\ud83e', '\ud83eä']) {
      assert.equal(utf8Length(text), new TextEncoder().encode(text).length, JSON.stringify(text));
      assert.equal(unpack(pack(text)), text.toWellFormed());
    }
  });
});

test('a queue of 200,000 entries gives them back in order, and keeps none', () => {
  const queue = createQueue();
  for (let n = 0; n < 200_000; n += 1) queue.push(n);
  assert.equal(queue.pop(), 199_999);
  // From wherever they stand, once.
  for (let n = 150_001; n < 199_999; n += 2) assert.equal(queue.remove(n), true);
  assert.equal(queue.remove(150_001), false);
  for (let n = 0; n < 199_999; n += n < 150_000 ? 1 : 2) {
    assert.equal(queue.first, n);
    assert.equal(queue.shift(), n);
  }
  assert.equal(queue.length, 0);
});

test('timers of any length fire when they are due', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const fired = [];
  const longest = 2 ** 31 - 1;
  after(longest + 5, () => fired.push('long'));
  after(Infinity, () => fired.push('never'));
  after(longest, () => fired.push('cleared'))();
  context.mock.timers.tick(longest);
  context.mock.timers.tick(4);
  assert.deepEqual(fired, []);
  context.mock.timers.tick(1);
  assert.deepEqual(fired, ['long']);
});

test('the arguments of a call are let go of once they are sent', { timeout: 20_000 }, async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc');
  const server = await scriptedServer();
  const session = connect(server.url);
  const peer = await server.accept();
  await peer.greet();
  const sent = (() => {
    const bytes = new Uint8Array(1 << 20);
    session.call('work', [bytes]).catch(() => {});
    // Not the view, of which a call makes its own.
    return new WeakRef(bytes.buffer);
  })();
  await peer.next('work');
  while (sent.deref()) {
    await turn();
    collect();
  }
  await session.close();
  server.stop();
});
