// A server that is broken or means harm costs the message or the connection that it spoils, and bounded memory.
import assert from 'node:assert/strict';
import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CallError, connect, ProtocolError, v1, v2 } from 'wslink-client';
import { assembly, cut } from '../dist/wire/chunks.js';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

/** MessagePack of `{ id, [name]: … }` with raw bytes as the value. */
function message(id, name, value) {
  return [0x82, ...encode('id'), ...encode(id), ...encode(name), ...value];
}

const ODD_KEYS = {
  true: [0x81, 0xc3, 1],
  null: [0x81, 0xc0, 1],
  'a list': [0x81, 0x91, 1, 1],
  'a float': [0x81, 0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 1],
  'binary data': [0x81, 0xc4, 1, 7, 1],
};
const UNREADABLE = {
  'text that is not UTF-8': [0xa2, 0xc3, 0x28],
  'an unknown extension type': [0xd4, 5, 1],
  'a value that is cut off': [0xa5, 0x61],
  'a list that claims four billion values': [0xdd, 0xff, 0xff, 0xff, 0xff],
  'a map that claims four billion members': [0xdf, 0xff, 0xff, 0xff, 0xff],
  'a byte that begins nothing': [0xc1],
  'more than one value': [1, 2],
  'a nesting without end': Array(100_000).fill(0x91),
};

describe('a hostile server', { timeout: 20_000 }, () => {
  let server;
  let session;
  let peer;
  let reported;
  let states;

  async function open(options = {}) {
    session = connect(server.url, {
      reconnect: { initialDelay: 1 },
      onError: (error, context) => reported.push([error, context]),
      ...options,
    });
    session.onStateChange(({ status }) => states.push(status));
    peer = await server.accept();
  }

  const lost = () =>
    new Promise((resolve) => session.onStateChange((state) => state.status === 'waiting' && resolve(state.error)));

  beforeEach(async () => {
    [reported, states] = [[], []];
    server = await scriptedServer();
  });
  afterEach(async () => {
    await session.close();
    server.stop();
  });

  for (const [what, bytes] of Object.entries({ ...ODD_KEYS, ...UNREADABLE })) {
    test(`v2, ${what} in a result, a progress message and an event costs just these`, async () => {
      await open();
      await peer.greet();
      const heard = [];
      const subscription = session.subscribe('a', { onEvent: (event) => heard.push(event) });
      peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
      await subscription.promise;
      const progress = [];
      const [broken, other] = [
        session.call('broken'),
        session.call('other', [], {}, { onProgress: (value) => progress.push(value) }),
      ];
      const [first, second] = [await peer.next('broken'), await peer.next('other')];
      peer.sendPacked(message('publish:a:0', 'result', bytes));
      peer.sendPacked(message(first.id, 'result', bytes));
      peer.event('a', 'after');
      peer.reply(second, 'fine');
      await assert.rejects(broken, ProtocolError);
      assert.equal(await other, 'fine');
      assert.deepEqual(heard, ['after']);
      assert.equal(reported.length, 1);
      assert.equal(reported[0][0] instanceof ProtocolError, true);
      assert.deepEqual(reported[0][1], { topic: 'a' });
      assert.deepEqual(states, ['connected']);
    });
  }

  test('v1, a message that is no JSON costs its call', async () => {
    await open({ wire: v1 });
    await peer.greet();
    const [broken, other] = [session.call('broken'), session.call('other')];
    const [first, second] = [await peer.next('broken'), await peer.next('other')];
    peer.sendFrame(`{"wslink": "1.0", "id": ${JSON.stringify(first.id)}, "result": {"a": tru`);
    peer.sendFrame('{"id": "publish:a:0", "result": }');
    peer.reply(second, 'fine');
    await assert.rejects(broken, ProtocolError);
    assert.equal(await other, 'fine');
    assert.equal(reported.length, 0, 'nobody subscribed to it');
    assert.deepEqual(states, ['connected']);
  });

  test('a member of a message that the protocol does not have is ignored in both versions', async () => {
    for (const wire of [v1, v2]) {
      await open({ wire });
      await peer.greet();
      const call = session.call('work');
      const { id } = await peer.next('work');
      if (wire === v1) peer.sendFrame(JSON.stringify({ wslink: '1.0', id, result: 1, problem: 'none' }));
      else peer.sendPacked([...encode({ wslink: '1.0', id, result: 1, problem: 'none' })]);
      assert.equal(await call, 1);
      await session.close();
    }
  });

  test('names that objects have are data in both versions', async () => {
    for (const wire of [v1, v2]) {
      await open({ wire });
      await peer.greet();
      const call = session.call('work');
      const { id } = await peer.next('work');
      const text = '{"__proto__": {"polluted": true}, "constructor": 1}';
      if (wire === v1) peer.sendFrame(`{"id": "${id}", "result": ${text}}`);
      else {
        const member = (key, value) => [...encode(key), ...encode(value)];
        const bytes = [0x82, ...member('__proto__', { polluted: true }), ...member('constructor', 1)];
        peer.sendPacked(message(id, 'result', bytes));
      }
      const result = await call;
      assert.deepEqual(Object.keys(result), ['__proto__', 'constructor']);
      assert.equal(result.polluted, undefined);
      await session.close();
    }
  });

  test('integers beyond those of a double are exact in both versions', async () => {
    for (const wire of [v1, v2]) {
      await open({ wire });
      await peer.greet();
      const call = session.call('work');
      const { id } = await peer.next('work');
      if (wire === v1)
        peer.sendFrame(
          `{"id":"${id}","result":[18446744073709551615,-9223372036854775808,9007199254740993,[9007199254740991,1e20,0.12345678901234567]]}`,
        );
      else
        peer.send({
          id,
          result: [2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n + 1n, [2n ** 53n - 1n, 1e20, 0.12345678901234567]],
        });
      const expected = [2n ** 64n - 1n, -(2n ** 63n), 2n ** 53n + 1n, [2 ** 53 - 1, 1e20, 0.12345678901234567]];
      assert.deepEqual(await call, expected);
      await session.close();
    }
  });

  for (const [what, hello] of Object.entries({
    'no object': 5,
    'a list': [],
    nothing: null,
    'no id': { clientID: 7 },
    'an empty id': { clientID: '' },
    'extensions that are a number': { clientID: 'c', extensions: 5 },
    'extensions that are no texts': { clientID: 'c', extensions: [1] },
    'a frame size of 1': { clientID: 'c', maxMsgSize: 1 },
    'a frame size of 1 among the limits': { clientID: 'c', limits: { maxMsgSize: 1 } },
    'a negative frame size': { clientID: 'c', maxMsgSize: -5 },
    'limits that are a text': { clientID: 'c', limits: 'many' },
    'an expiry that is no number': { clientID: 'c', expiresInMs: 'soon' },
    'a token that is no text': { clientID: 'c', resume: 3 },
    'kept subscriptions that are no numbers': { clientID: 'c', resumed: { kept: ['a'], missed: {} } },
    'missed events that are no object': { clientID: 'c', resumed: { kept: [], missed: 3 } },
  })) {
    test(`a hello with ${what} ends the connection and says why`, async () => {
      await open({ reconnect: false });
      const { id } = await peer.next('wslink.hello');
      peer.send({ id, result: hello });
      await assert.rejects(session.ready, ProtocolError);
      assert.equal(session.state.status, 'closed');
    });
  }

  test('an answer to wslink.subscribe that is none refuses the subscription', async () => {
    await open();
    await peer.greet();
    for (const result of [null, 5, {}, { subscription: 'x' }, { subscription: -1 }]) {
      const subscription = session.subscribe('a');
      peer.reply(await peer.next('wslink.subscribe'), result);
      await assert.rejects(subscription.promise, ProtocolError);
    }
    assert.deepEqual(states, ['connected']);
  });

  test('errors that are none reject all the same', async () => {
    await open();
    await peer.greet();
    for (const error of [null, 5, 'text', {}, { code: 'x', message: 7 }]) {
      const call = session.call('work');
      const { id } = await peer.next('work');
      peer.send({ id, error });
      await assert.rejects(call, CallError);
    }
  });

  test('an event with an error in the place of its payload is reported', async () => {
    await open();
    await peer.greet();
    session.subscribe('a', { onEvent: () => assert.fail('there is no payload') });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.send({ id: 'publish:a:0', error: { code: -32002, message: 'cannot be serialized' } });
    const call = session.call('work');
    peer.reply(await peer.next('work'), 1);
    await call;
    assert.deepEqual([reported[0][0].code, reported[0][1]], [-32002, { topic: 'a' }]);
  });

  test('a topic named as a member of every object missed nothing', async () => {
    await open();
    await peer.greet({ resume: 'token' });
    const gaps = [];
    const subscription = session.subscribe('constructor', { onGap: (missed) => gaps.push(missed) });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    await subscription.promise;
    peer.drop();
    peer = await server.accept();
    await peer.greet({ resumed: { missed: {}, kept: [1] } });
    const call = session.call('work');
    peer.reply(await peer.next('work'), 1);
    await call;
    assert.deepEqual(gaps, []);
  });

  test('events of any number of topics are one number in the next hello', async () => {
    await open();
    await peer.greet({ resume: 'token' });
    for (let n = 0; n < 5000; n += 1) peer.event(`topic${n}`, n);
    const call = session.call('work');
    peer.reply(await peer.next('work'), 1);
    await call;
    peer.drop();
    peer = await server.accept();
    const { resume, received } = await peer.greet({ resume: 'next', resumed: null });
    assert.deepEqual({ resume, received }, { resume: 'token', received: 5000 });
    peer.drop();
    peer = await server.accept();
    assert.equal((await peer.greet()).received, 0, 'a connection that is not resumed counts anew');
  });

  test('a message that is larger than maxMessageBytes ends the connection', async () => {
    await open({ maxMessageBytes: 1000 });
    await peer.greet();
    await session.ready;
    const ended = lost();
    peer.sendFrame(cut([new Uint8Array(1001)], 1, 100)[0]);
    assert.match((await ended).message, /maxMessageBytes/);
  });

  test('attachments of version 1 that belong to nothing end the connection', async () => {
    await open({ wire: v1, maxMessageBytes: 10_000 });
    await peer.greet();
    await session.ready;
    const ended = lost();
    for (let n = 0; n < 11; n += 1) {
      peer.sendFrame(`{"method":"wslink.binary.attachment","args":["wslink_bin${n}"]}`);
      peer.sendFrame(new Uint8Array(1000));
    }
    assert.match((await ended).message, /maxMessageBytes/);
  });
});

describe('incomplete messages', () => {
  const chunk = (id, offset, total, length) => {
    const frame = new Uint8Array(12 + length);
    const header = new DataView(frame.buffer);
    [id, offset, total].forEach((value, at) => header.setUint32(4 * at, value, true));
    return frame.buffer;
  };

  test('take memory for what came, not for what was announced', () => {
    const assemble = assembly(2 ** 32);
    const before = process.memoryUsage().arrayBuffers;
    for (let id = 0; id < 2000; id += 1) assemble(chunk(id, 0, 2 ** 26, 1));
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
  });

  test('are limited in number and in what they hold together', () => {
    const many = assembly(2 ** 32);
    assert.throws(() => {
      for (let id = 0; id < 5000; id += 1) many(chunk(id, 0, 100, 1));
    }, ProtocolError);
    const large = assembly(2 ** 20);
    assert.throws(() => {
      for (let id = 0; id < 100; id += 1) large(chunk(id, 0, 2 ** 20, 2 ** 19));
    }, ProtocolError);
  });

  test('may not overlap and leave a hole', () => {
    const assemble = assembly(1000);
    assemble(chunk(1, 0, 30, 10));
    assemble(chunk(1, 5, 30, 10));
    assert.throws(() => assemble(chunk(1, 15, 30, 10)), ProtocolError);
  });

  test('come in any order, in chunks of one byte', () => {
    const content = Uint8Array.from({ length: 300 }, (_, at) => at);
    const frames = cut([content.subarray(0, 100), content.subarray(100)], 1, 13);
    const assemble = assembly(1000);
    const last = frames.reverse().map(({ buffer }) => assemble(buffer));
    assert.deepEqual(new Uint8Array(Buffer.concat(last.at(-1))), content);
    assert.equal(
      last.slice(0, -1).every((packed) => packed === undefined),
      true,
    );
  });
});
