// The two generations, frame by frame.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtocolError, v1, v2 } from 'wslink-client';
import { assembly, cut } from '../dist/wire/chunks.js';
import { parse, stringify } from '../dist/wire/json.js';

const bufferOf = (bytes) => Uint8Array.from(bytes).buffer;
const message = (args) => ({ wslink: '1.0', id: 'rpc:c:0', method: 'm', args, kwargs: {} });

describe('JSON with the words that JSON does not have', () => {
  const same = (value) => value;

  test('is written', () => {
    assert.equal(
      stringify({ a: [NaN, Infinity, -Infinity, 1], b: 'NaN' }, same),
      '{"a":[NaN,Infinity,-Infinity,1],"b":"NaN"}',
    );
  });

  test('is read', () => {
    assert.deepEqual(parse('[NaN, Infinity, -Infinity, "NaN", "a \\" NaN", {"Infinity": -1.5}]'), [
      NaN,
      Infinity,
      -Infinity,
      'NaN',
      'a " NaN',
      { Infinity: -1.5 },
    ]);
  });

  test('is refused where it is something else', () => {
    for (const text of ['', '{', 'NaNa', '[Infinit]', "'a'"]) assert.throws(() => parse(text), SyntaxError);
  });
});

describe('v1', () => {
  test('sends binary data before the message that names it', () => {
    const frames = v1.codec().encode(message([new Uint8Array([1]), { b: new Uint8Array([2]) }]));
    assert.deepEqual(frames, [
      '{"wslink":"1.0","method":"wslink.binary.attachment","args":["wslink_bin1"]}',
      new Uint8Array([1]),
      '{"wslink":"1.0","method":"wslink.binary.attachment","args":["wslink_bin2"]}',
      new Uint8Array([2]),
      '{"wslink":"1.0","id":"rpc:c:0","method":"m","args":["wslink_bin1",{"b":"wslink_bin2"}],"kwargs":{}}',
    ]);
  });

  test('puts binary data wherever its key stands, once for a message', () => {
    const codec = v1.codec();
    assert.equal(codec.decode('{"method":"wslink.binary.attachment","args":["wslink_bin1","wslink_bin2"]}'), undefined);
    codec.decode(bufferOf([1]));
    codec.decode(bufferOf([2]));
    const { result } = codec.decode('{"id":"a","result":["wslink_bin2",{"x":"wslink_bin1","y":"wslink_bin1"},NaN]}');
    assert.deepEqual(result, [new Uint8Array([2]), { x: new Uint8Array([1]), y: new Uint8Array([1]) }, NaN]);
    assert.equal(codec.decode('{"id":"a","result":"wslink_bin1"}').result, 'wslink_bin1');
  });

  test('ignores binary data that nobody announced and messages for nobody', () => {
    const codec = v1.codec();
    assert.equal(codec.decode(bufferOf([1])), undefined);
    assert.equal(codec.decode('{"method":"something.else"}'), undefined);
  });

  test('refuses what is no message', () => {
    for (const text of ['nonsense', '3', 'null']) assert.throws(() => v1.codec().decode(text), ProtocolError);
  });
});

describe('v2', () => {
  test('cuts to the size that the server accepts', () => {
    const codec = v2.codec();
    codec.limitFrames(100);
    const frames = codec.encode(message([new Uint8Array(500)]));
    assert.equal(frames.length, 7);
    assert.equal(Math.max(...frames.map(({ length }) => length)), 100);
  });

  test('does not copy a message of one chunk', () => {
    const assemble = assembly();
    const frame = cut([new Uint8Array([1, 2, 3])], 1, 100)[0].buffer;
    assert.equal(assemble(frame)[0].buffer, frame);
  });

  test('refuses chunks that contradict each other', () => {
    const [first, second] = cut([new Uint8Array(20)], 1, 22);
    const add = (...frames) => {
      const assemble = assembly();
      frames.forEach((frame) => assemble(frame.buffer));
    };
    const changed = (frame, at, value) => {
      const copy = frame.slice();
      new DataView(copy.buffer).setUint32(at, value, true);
      return copy;
    };
    assert.doesNotThrow(() => add(second, first));
    assert.throws(() => add(first, changed(second, 8, 21)), ProtocolError);
    assert.throws(() => add(first, changed(second, 4, 15)), ProtocolError);
    assert.throws(() => add(first, first), ProtocolError);
    const [whole] = cut([new Uint8Array(19)], 1, 100);
    assert.throws(() => add(first, changed(changed(whole, 8, 20), 4, 1)), ProtocolError);
    assert.throws(() => add(new Uint8Array(11)), ProtocolError);
  });

  test('ignores text and messages for nobody, and refuses what is no message', () => {
    const codec = v2.codec();
    const framed = (bytes) => cut([Uint8Array.from(bytes)], 1, 100)[0].buffer;
    assert.equal(codec.decode('text'), undefined);
    assert.equal(codec.decode(framed([0x80])), undefined);
    for (const bytes of [[0x81], [0x03], [0xc1]]) assert.throws(() => codec.decode(framed(bytes)), ProtocolError);
  });
});
