// The recorded exchanges of the original servers, which the Rust engine replays too: both read and write the same.
import assert from 'node:assert/strict';
import { decode } from '@msgpack/msgpack';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { v1, v2 } from 'wslink-client';
import { parse } from '../dist/wire/json.js';

const HEADER = 12;

async function recorded(version) {
  const file = new URL(`../../wslink/tests/golden/python-${version}.jsonl`, import.meta.url);
  const exchanges = new Map();
  for (const line of (await readFile(file, 'utf8')).trim().split('\n')) {
    const frame = JSON.parse(line);
    exchanges.set(frame.exchange, [...(exchanges.get(frame.exchange) ?? []), frame]);
  }
  return exchanges;
}

const bytesOf = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));

for (const [exchange, frames] of await recorded('v1')) {
  describe(`version 1, ${exchange}`, () => {
    test('what the server sent is read', () => {
      const codec = v1.codec(2 ** 30);
      const attachments = [];
      for (const { dir, op, text, hex } of frames.filter(({ dir }) => dir === 's2c')) {
        // Of large frames only the length was recorded.
        if (op === 'binary') {
          if (hex === undefined) return;
          attachments.push(bytesOf(hex));
          codec.decode(bytesOf(hex).buffer);
          continue;
        }
        if (op !== 'text') continue;
        const message = codec.decode(text);
        if (/"method": ?"wslink\.binary\.attachment"/.test(text)) assert.equal(message, undefined);
        else {
          assert.equal(message.problem, undefined, dir);
          assert.equal(message.id, parse(text).id);
          const found = [];
          JSON.stringify(message, (_key, value) => {
            if (value instanceof Uint8Array) found.push(value);
            return value instanceof Uint8Array || typeof value === 'bigint' ? null : value;
          });
          for (const data of found)
            assert.equal(
              attachments.some((sent) => Buffer.from(sent).equals(data)),
              true,
            );
        }
      }
    });

    test('what the client sent is what this one sends', () => {
      for (const { text } of frames.filter(({ dir, op }) => dir === 'c2s' && op === 'text')) {
        let message;
        try {
          message = parse(text);
        } catch {
          continue;
        }
        // Some exchanges are of clients that break the protocol.
        if (JSON.stringify(Object.keys(message)) !== '["wslink","id","method","args","kwargs"]') continue;
        const sent = v1.codec(2 ** 30).encode(message);
        // Numbers have several spellings, of which JavaScript writes one.
        if (exchange === 'echo-floats') assert.deepEqual(JSON.parse(sent.at(-1)), JSON.parse(text));
        else assert.equal(sent.at(-1), text);
      }
    });
  });
}

for (const [exchange, frames] of await recorded('v2')) {
  describe(`version 2, ${exchange}`, () => {
    test('what the server sent is read', () => {
      const codec = v2.codec(2 ** 30);
      for (const { hex } of frames.filter(({ dir, op, hex }) => dir === 's2c' && op === 'binary' && hex)) {
        const frame = bytesOf(hex);
        const message = codec.decode(frame.buffer);
        const [, offset, total] = new Uint32Array(frame.buffer.slice(0, HEADER));
        if (offset !== 0 || total !== frame.length - HEADER) continue;
        const reference = decode(frame.subarray(HEADER), { useBigInt64: false });
        assert.equal(message.problem, undefined);
        assert.deepEqual(message, reference);
      }
    });

    test('what the client sent is what this one sends', () => {
      for (const { hex } of frames.filter(({ dir, op, hex }) => dir === 'c2s' && op === 'binary' && hex)) {
        const packed = bytesOf(hex).subarray(HEADER);
        let message;
        try {
          message = decode(packed);
        } catch {
          continue;
        }
        if (typeof message !== 'object' || message === null || message.id === undefined) continue;
        const [, offset, total] = new Uint32Array(bytesOf(hex).buffer.slice(0, HEADER));
        if (offset !== 0 || total !== packed.length) continue;
        const sent = v2.codec(2 ** 30).encode(message);
        assert.equal(sent.length, 1);
        assert.equal(Buffer.from(sent[0].subarray(HEADER)).toString('hex'), Buffer.from(packed).toString('hex'));
      }
    });
  });
}
