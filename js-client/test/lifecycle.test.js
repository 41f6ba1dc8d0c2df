// The life of a session, row by row of the README's table "What happens when": each promise settles, each listener
// hears of the end, and hello, back-off and liveness follow their rules. Against a server of which a test decides all.
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import {
  AuthenticationError,
  CallTimeout,
  connect,
  ConnectionLost,
  MessageTooLarge,
  v1,
  WslinkError,
} from 'wslink-client';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

const FAST = { initialDelay: 1, maxDelay: 2 };
const NEVER = { initialDelay: 2 ** 40, maxDelay: Infinity };
const PINGING = { interval: 10, timeout: 1000 };

let server;
let session;
let peer;

async function open(options = {}) {
  session = connect(server.url, { reconnect: FAST, ...options });
  peer = await server.accept();
}

const until = (status) =>
  new Promise((resolve) => {
    const off = session.onStateChange((state) => {
      if (state.status !== status) return;
      off();
      resolve(state);
    });
  });

async function answered(call, method, result) {
  peer.reply(await peer.next(method), result);
  return call;
}

beforeEach(async () => {
  server = await scriptedServer();
});
afterEach(async () => {
  await session?.close();
  server.stop();
});

describe('closing in a callback', { timeout: 20_000 }, () => {
  const closing = {
    onGap: (close) => ({ onGap: close }),
    onEvent: (close) => ({ onEvent: close }),
  };
  for (const [name, options] of Object.entries(closing)) {
    test(`${name}: the session stays closed, and everything settles`, async () => {
      await open();
      const states = [];
      session.onStateChange(({ status }) => states.push(status));
      await peer.greet();
      const subscription = session.subscribe(
        'a',
        options(() => session.close()),
      );
      peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
      await subscription.promise;
      const failed = assert.rejects(session.call('work'), ConnectionLost);
      await peer.next('work');
      if (name === 'onGap') {
        peer.drop();
        peer = await server.accept();
        await peer.greet();
      } else peer.event('a', 1);
      await failed;
      if (session.state.status !== 'closed') await until('closed');
      await assert.rejects(session.call('later'), ConnectionLost);
      assert.equal(states.at(-1), 'closed');
      assert.equal(states.filter((status) => status === 'closed').length, 1);
    });
  }

  for (const status of ['connecting', 'connected', 'waiting']) {
    test(`a listener of the state ${status}: each listener hears every state once, closed last`, async () => {
      await open();
      const heard = [[], []];
      session.onStateChange((state) => {
        heard[0].push(state.status);
        if (state.status === status && heard[0].length > (status === 'connecting' ? 2 : 0)) void session.close();
      });
      session.onStateChange((state) => heard[1].push(state.status));
      await peer.greet();
      await session.ready;
      peer.drop();
      if (session.state.status !== 'closed') await until('closed');
      await sleep(5);
      assert.deepEqual(heard[0], heard[1]);
      assert.equal(heard[0].indexOf('closed'), heard[0].length - 1);
      assert.equal(session.state.status, 'closed');
    });
  }

  test('calls in onGap are sent, also those that shall not wait', async () => {
    await open({ waitForConnection: false });
    await peer.greet();
    let call;
    const subscription = session.subscribe('a', { onGap: () => (call = session.call('again')) });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    await subscription.promise;
    peer.drop();
    peer = await server.accept();
    await peer.greet();
    await peer.next('wslink.subscribe');
    peer.reply(await peer.next('again'), 'yes');
    assert.equal(await call, 'yes');
  });
});

describe('subscriptions', { timeout: 20_000 }, () => {
  async function subscribed(options, number = 1) {
    const subscription = session.subscribe('a', options);
    peer.reply(await peer.next('wslink.subscribe'), { subscription: number });
    return subscription.promise;
  }

  test('that are refused after a reconnect say so, to their own listener or to that of the session', async () => {
    const reported = [];
    await open({ onError: (error, { topic }) => reported.push([error.code, topic]) });
    await peer.greet();
    const ends = [];
    await subscribed({ onEvent() {}, onEnd: (error) => ends.push(error.code) });
    await subscribed({ onEvent() {} }, 2);
    const iterated = await subscribed({}, 3);
    peer.drop();
    peer = await server.accept();
    await peer.greet();
    for (let n = 0; n < 3; n += 1) {
      const { id } = await peer.next('wslink.subscribe');
      peer.send({ id, error: { code: -32007, message: 'Forbidden' } });
    }
    await assert.rejects(iterated[Symbol.asyncIterator]().next(), { code: -32007 });
    assert.deepEqual(ends, [-32007]);
    assert.deepEqual(reported, [[-32007, 'a']]);
  });

  test('that the server or the session ends say so, those that were left do not', async () => {
    await open();
    await peer.greet();
    const ends = [];
    const ending = (name) => ({ onEvent() {}, onEnd: (error) => ends.push([name, error]) });
    await subscribed(ending('stream'), 1);
    await subscribed(ending('session'), 2);
    const left = await subscribed(ending('left'), 3);
    await left.unsubscribe();
    peer.event('a', undefined, { sub: 1, end: true });
    peer.reply(await peer.next('wslink.unsubscribe'), true);
    await answered(session.call('x'), 'x', 1);
    await session.close();
    assert.deepEqual(ends, [
      ['stream', undefined],
      ['session', undefined],
    ]);
  });

  test('that are left while an event is handed out hear nothing of it', async () => {
    await open();
    await peer.greet();
    const heard = [];
    let second;
    await subscribed({ onEvent: () => heard.push('first') && second.unsubscribe() }, 1);
    second = await subscribed({ onEvent: () => heard.push('second') }, 2);
    peer.event('a', 1);
    await peer.next('wslink.unsubscribe');
    assert.deepEqual(heard, ['first']);
  });

  test('an iterator that was left yields nothing more, and lets go of its signal', async () => {
    await open();
    await peer.greet();
    const { signal } = new AbortController();
    const subscription = await subscribed({ signal });
    peer.event('a', 1);
    peer.event('a', 2);
    for await (const event of subscription) {
      assert.equal(event, 1);
      break;
    }
    peer.event('a', 3);
    await peer.next('wslink.unsubscribe');
    assert.equal((await subscription[Symbol.asyncIterator]().next()).done, true);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('a retained value that the server sends to one subscription reaches no other', async () => {
    await open();
    await peer.greet();
    const heard = [];
    await subscribed({ onEvent: (event) => heard.push(['old', event]) }, 1);
    await subscribed({ onEvent: (event) => heard.push(['new', event]) }, 2);
    peer.event('a', 'retained', { sub: 2 });
    peer.event('a', 'to all');
    await answered(session.call('x'), 'x', 1);
    assert.deepEqual(heard, [
      ['new', 'retained'],
      ['old', 'to all'],
      ['new', 'to all'],
    ]);
  });

  test('made while there was no connection have missed nothing', async () => {
    await open();
    await peer.greet();
    await session.ready;
    const waiting = until('waiting');
    peer.drop();
    await waiting;
    const gaps = [];
    session.subscribe('a', { onGap: () => gaps.push('gap') });
    peer = await server.accept();
    await peer.greet();
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    await answered(session.call('x'), 'x', 1);
    assert.deepEqual(gaps, []);
  });

  test('are bounded by default, and a consumer that falls behind is told', async () => {
    await open();
    await peer.greet();
    const bounded = await subscribed({}, 1);
    const all = await subscribed({ buffer: 'all' }, 2);
    for (let n = 0; n < 1025; n += 1) peer.event('a', n);
    peer.reply(await peer.next('wslink.unsubscribe'), true);
    await answered(session.call('x'), 'x', 1);
    const seen = [];
    await assert.rejects(
      async () => {
        for await (const event of bounded) seen.push(event);
      },
      { name: 'BufferOverflow' },
    );
    assert.equal(seen.length, 1024);
    let count = 0;
    for await (const event of all) {
      assert.equal(event, count);
      if (++count === 1025) break;
    }
    assert.throws(() => session.subscribe('a', { buffer: { keep: 0, overflow: 'fail' } }), RangeError);
  });

  test('are streams too, which end them', async () => {
    await open();
    await peer.greet();
    const subscription = await subscribed({});
    peer.event('a', 1);
    const reader = subscription.readable().getReader();
    assert.deepEqual(await reader.read(), { done: false, value: 1 });
    await reader.cancel();
    assert.deepEqual((await peer.next('wslink.unsubscribe')).args, [1]);
  });

  test('end with `await using`, as sessions do', async () => {
    await open();
    await peer.greet();
    const dispose = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
    const subscription = await subscribed({});
    await subscription[dispose]();
    await peer.next('wslink.unsubscribe');
    await session[dispose]();
    assert.equal(session.state.status, 'closed');
  });
});

describe('calls', { timeout: 20_000 }, () => {
  for (const timeout of [Infinity, 2 ** 31, 30 * 86_400_000, 2 ** 40]) {
    test(`a timeout of ${timeout} ms does not end at once`, async () => {
      await open({ connectTimeout: timeout, reconnect: { initialDelay: 1, maxDelay: timeout } });
      await peer.greet();
      const call = session.call('work', [], {}, { timeout });
      const { id, timeout_ms: told } = await peer.next('work');
      await sleep(20);
      assert.equal(told, timeout === Infinity ? undefined : timeout);
      peer.send({ id, result: 1 });
      assert.equal(await call, 1);
    });
  }

  test('a timeout that is no duration is refused, fractions are told as whole milliseconds', async () => {
    await open();
    await peer.greet();
    for (const timeout of [-1, NaN, '5']) {
      await assert.rejects(session.call('work', [], {}, { timeout }), RangeError);
      assert.throws(() => connect(server.url, { timeout }), RangeError);
    }
    session.call('work', [], {}, { timeout: 60_000.5 }).catch(() => {});
    assert.equal(Number.isInteger((await peer.next('work')).timeout_ms), true);
  });

  test('what a closing socket does not take is sent on the next connection', async () => {
    const sockets = [];
    const webSocket = (url) => sockets[sockets.push(new WebSocket(url)) - 1];
    await open({ webSocket });
    await peer.greet();
    await session.ready;
    sockets[0].close();
    const call = session.call('work');
    peer = await server.accept();
    await peer.greet();
    assert.equal(await answered(call, 'work', 'once'), 'once');
  });

  test('what a closing socket does not take was not executed', async () => {
    const sockets = [];
    const webSocket = (url) => sockets[sockets.push(new WebSocket(url)) - 1];
    for (const options of [{ waitForConnection: false }, { reconnect: false }]) {
      await open({ webSocket, ...options });
      await peer.greet();
      await session.ready;
      sockets.at(-1).close();
      await assert.rejects(session.call('work'), (error) => error instanceof ConnectionLost && !error.maybeExecuted);
      await session.close();
    }
  });

  test('the order of a reply and an event is that of the wire, whatever awaits', async () => {
    await open();
    await peer.greet();
    const heard = [];
    const subscription = session.subscribe('a', { onEvent: (event) => heard.push(`event ${event}`) });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    await subscription.promise;
    const wrapped = async (method) => {
      const result = await (async () => session.call(method))();
      heard.push(`reply ${result}`);
    };
    const calls = [wrapped('one'), wrapped('two')];
    const [one, two] = [await peer.next('one'), await peer.next('two')];
    peer.inOneSegment(() => {
      peer.event('a', 0);
      peer.reply(one, 1);
      peer.event('a', 2);
      peer.reply(two, 3);
      peer.event('a', 4);
    });
    await Promise.all(calls);
    await answered(session.call('x'), 'x', 1);
    assert.deepEqual(heard, ['event 0', 'reply 1', 'event 2', 'reply 3', 'event 4']);
  });

  test('callbacks that throw or reject are reported and nothing else', async () => {
    const reported = [];
    await open({ onError: (error, context) => reported.push([error.message, context]) });
    await peer.greet();
    const fail = (what) => () => {
      throw new Error(what);
    };
    session.onStateChange(fail('state'));
    const subscription = session.subscribe('a', { onEvent: fail('event') });
    session.subscribe('a', { onEvent: async () => fail('async')() });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 2 });
    await subscription.promise;
    peer.event('a', 1);
    const call = session.call('work', [], {}, { onProgress: fail('progress') });
    const { id } = await peer.next('work');
    peer.send({ id, progress: 1 });
    peer.send({ id, result: 2 });
    assert.equal(await call, 2);
    await session.close();
    assert.deepEqual(reported, [
      ['state', {}],
      ['event', { topic: 'a' }],
      ['async', { topic: 'a' }],
      ['progress', { method: 'work' }],
      ['state', {}],
    ]);
  });

  test('version 1: a frame that the server would end the connection for is not sent', async () => {
    await open({ wire: v1 });
    await peer.greet({ maxMsgSize: 4 << 20 });
    await session.ready;
    for (const argument of [new Uint8Array(6 << 20), 'x'.repeat(5 << 20), 'ä'.repeat(3 << 20)]) {
      await assert.rejects(session.call('work', [argument]), (error) => {
        assert.equal(error instanceof MessageTooLarge, true);
        assert.deepEqual([error.limit, error.bytes > 4 << 20], [4 << 20, true]);
        return true;
      });
    }
    assert.equal(await answered(session.call('next'), 'next', 1), 1);
  });

  test('version 2: a message that is larger than the server takes is not sent', async () => {
    await open();
    await peer.greet({ limits: { messageBytes: 1000 } });
    await session.ready;
    await assert.rejects(session.call('work', [new Uint8Array(1000)]), { name: 'MessageTooLarge', limit: 1000 });
    assert.equal(await answered(session.call('next'), 'next', 1), 1);
  });

  test('40,000 that wait, and time out, settle', async () => {
    session = connect(server.url, { reconnect: FAST });
    const calls = Array.from({ length: 40_000 }, () => session.call('work', [], {}, { timeout: 1 }));
    const outcomes = await Promise.allSettled(calls);
    assert.equal(
      outcomes.every(({ reason }) => reason instanceof CallTimeout && !reason.maybeExecuted),
      true,
    );
  });
});

describe('hello', { timeout: 20_000 }, () => {
  test('that refuses a fixed secret ends the session', async () => {
    await open();
    await peer.refuse();
    await assert.rejects(session.ready, AuthenticationError);
  });

  test('that refuses a secret asks its callback again, which knows', async () => {
    const asked = [];
    const secret = ({ refused }) => `token ${asked.push(refused?.code)}`;
    await open({ secret });
    await peer.refuse();
    peer = await server.accept();
    assert.equal((await peer.greet()).secret, 'token 2');
    await session.ready;
    assert.deepEqual(asked, [undefined, -32000]);
  });

  test('that refuses the same secret of a callback again ends the session', async () => {
    await open({ secret: async () => 'always the same' });
    await peer.refuse();
    await assert.rejects(session.ready, AuthenticationError);
  });

  test('that fails for another reason is tried again', async () => {
    await open();
    const waiting = until('waiting');
    await peer.refuse({ code: -32001, message: 'the database is away' });
    assert.equal((await waiting).error.code, -32001);
    peer = await server.accept();
    await peer.greet();
    await session.ready;
  });

  test('that does not come in time is given up', async () => {
    await open({ connectTimeout: 20 });
    await peer.next('wslink.hello');
    assert.equal((await until('waiting')).error instanceof ConnectionLost, true);
  });

  test('whose secret does not come in time is given up, and the callback hears of it', async () => {
    let aborted;
    const secret = ({ signal }) => new Promise(() => (aborted = once(signal, 'abort')));
    session = connect(server.url, { secret, connectTimeout: 20, reconnect: false });
    await assert.rejects(session.ready, ConnectionLost);
    await aborted;
  });

  test('whose secret is no text is an error of the session', async () => {
    session = connect(server.url, { secret: () => () => {}, reconnect: false });
    await assert.rejects(session.ready, WslinkError);
  });
});

describe('reconnecting', { timeout: 20_000 }, () => {
  test('counts attempts on while connections do not last', async () => {
    await open({ reconnect: { initialDelay: 1, attempts: 3 } });
    const attempts = [];
    session.onStateChange((state) => state.status === 'waiting' && attempts.push(state.attempt));
    const closed = until('closed');
    for (let n = 0; n < 4; n += 1) {
      await peer.greet();
      if (session.state.status !== 'connected') await until('connected');
      peer.drop();
      if (n < 3) peer = await server.accept();
    }
    assert.equal((await closed).error instanceof ConnectionLost, true);
    assert.deepEqual(attempts, [1, 2, 3]);
  });

  test('counts anew after a connection has lasted', async () => {
    await open({ reconnect: { ...FAST, attempts: 1, resetAfter: 5 } });
    for (let n = 0; n < 4; n += 1) {
      await peer.greet();
      if (session.state.status !== 'connected') await until('connected');
      await sleep(10);
      const waiting = until('waiting');
      peer.drop();
      assert.equal((await waiting).attempt, 1);
      peer = await server.accept();
    }
  });

  test('at once, instead of waiting', async () => {
    await open({ reconnect: NEVER });
    await peer.greet();
    await session.ready;
    const waiting = until('waiting');
    peer.drop();
    await waiting;
    session.reconnectNow();
    peer = await server.accept();
    await peer.greet();
    if (session.state.status !== 'connected') await until('connected');
  });

  test('is not tried where there is no WebSocket, and where the URL cannot be opened', async () => {
    const { WebSocket: usual } = globalThis;
    try {
      delete globalThis.WebSocket;
      session = connect(server.url);
      await assert.rejects(session.ready, /no WebSocket here/);
    } finally {
      globalThis.WebSocket = usual;
    }
    const webSocket = () => {
      throw new DOMException('mixed content', 'SecurityError');
    };
    session = connect(server.url, { webSocket });
    await assert.rejects(session.ready, /mixed content/);
    for (const url of ['ws', 'http://', 'ftp://localhost/']) assert.throws(() => connect(url), TypeError);
  });

  test('adopts the scheme of a page and leaves fragments out', () => {
    for (const [given, opened] of [
      ['http://localhost:1/ws', 'ws://localhost:1/ws'],
      ['https://localhost:1/a?b#c', 'wss://localhost:1/a?b'],
      [new URL('ws://localhost:1/ws#x'), 'ws://localhost:1/ws'],
    ]) {
      session = connect(given, { reconnect: false });
      assert.equal(session.url, opened);
      void session.close();
    }
  });
});

describe('a connection that is dead without having ended', { timeout: 20_000 }, () => {
  test('is asked, and lives if it answers', async () => {
    await open({ ping: PINGING });
    await peer.greet();
    for (let n = 0; n < 3; n += 1) {
      const ping = await peer.next('wslink.cancel');
      assert.deepEqual(ping.args, ['']);
      peer.reply(ping, false);
    }
    assert.equal(session.state.status, 'connected');
  });

  test('is given up if it does not answer', async () => {
    await open({ ping: { interval: 10, timeout: 10 } });
    await peer.greet();
    await session.ready;
    const { error } = await until('waiting');
    assert.match(error.message, /silent/);
  });

  test('of a stock server is asked with a method that it does not know, and not given up while it has calls', async () => {
    await open({ ping: { interval: 10, timeout: 10 } });
    await peer.greet({ extensions: undefined });
    const call = session.call('long');
    const long = await peer.next('long');
    for (let n = 0; n < 3; n += 1) await peer.next('wslink.ping');
    peer.reply(long, 'done');
    assert.equal(await call, 'done');
    const { error } = await until('waiting');
    assert.match(error.message, /silent/);
  });

  test('is asked again where the process itself was stopped', async () => {
    await open({ ping: { interval: 10, timeout: 500 } });
    await peer.greet();
    const first = await peer.next('wslink.cancel');
    // Nothing runs meanwhile, neither the timer nor the server.
    for (const end = performance.now() + 2000; performance.now() < end;);
    const second = await peer.next('wslink.cancel');
    assert.notEqual(first.id, second.id);
    assert.equal(session.state.status, 'connected');
  });

  test('is not looked for where that is switched off', async () => {
    await open({ ping: false });
    await peer.greet();
    await session.ready;
    session.reconnectNow();
    assert.equal(await answered(session.call('first'), 'first', 1), 1);
  });

  test('is asked at once by reconnectNow', async () => {
    await open();
    await peer.greet();
    await session.ready;
    session.reconnectNow();
    peer.reply(await peer.next('wslink.cancel'), false);
  });
});

test('debug() shows calls, events and states', async (context) => {
  await open();
  await peer.greet();
  const subscription = session.subscribe('a');
  peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
  await subscription.promise;
  peer.event('a', 1);
  await answered(session.call('work'), 'work', 1);
  context.mock.method(console, 'table', () => {});
  const shown = session.debug().map(({ kind, name, outcome }) => [kind, name, outcome]);
  assert.deepEqual(shown, [
    ['state', 'connecting', undefined],
    ['state', 'connected', undefined],
    ['call', 'work', 'ok'],
    ['event', 'a', undefined],
  ]);
});

test('a server that accepts and says nothing is given up in time, again and again', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `ws://127.0.0.1:${silent.address().port}/`;
  session = connect(url, { connectTimeout: 10, reconnect: { initialDelay: 1, attempts: 2 } });
  await assert.rejects(session.ready, ConnectionLost);
  silent.close();
});
