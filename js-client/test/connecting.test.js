// Hello, back-off and reconnecting: rows of the README's table "What happens when".
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { AuthenticationError, connect, ConnectionLost, WslinkError } from 'wslink-client';
import { accept, adopt, answered, FAST, open, peer, server, session, until } from './harness/scripted-session.js';

const NEVER = { initialDelay: 2 ** 40, maxDelay: Infinity };

describe('hello', { timeout: 20_000 }, () => {
  test('is heard of before the events that come with it', async () => {
    await open();
    const heard = [];
    session.subscribe('a', { onEvent: (event) => heard.push(event) });
    void session.ready.then(() => heard.push('ready'));
    const { id } = await peer.next('wslink.hello');
    peer.inOneSegment(() => {
      peer.send({ id, result: { clientID: 'c1' } });
      peer.event('a', 'event');
    });
    await answered(session.call('x'), 'x', 1);
    assert.deepEqual(heard, ['ready', 'event']);
  });

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
    await accept();
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
    await accept();
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
    adopt(connect(server.url, { secret, connectTimeout: 20, reconnect: false }));
    await assert.rejects(session.ready, ConnectionLost);
    await aborted;
  });

  test('whose secret is no text is an error of the session', async () => {
    adopt(connect(server.url, { secret: () => () => {}, reconnect: false }));
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
      if (n < 3) await accept();
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
      await accept();
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
    await accept();
    await peer.greet();
    if (session.state.status !== 'connected') await until('connected');
  });

  test('is not tried where there is no WebSocket, and where the URL cannot be opened', async () => {
    const { WebSocket: usual } = globalThis;
    try {
      delete globalThis.WebSocket;
      adopt(connect(server.url));
      await assert.rejects(session.ready, /no WebSocket here/);
    } finally {
      globalThis.WebSocket = usual;
    }
    const webSocket = () => {
      throw new DOMException('mixed content', 'SecurityError');
    };
    adopt(connect(server.url, { webSocket }));
    await assert.rejects(session.ready, /mixed content/);
    for (const url of ['ws', 'http://', 'ftp://localhost/']) assert.throws(() => connect(url), TypeError);
  });

  test('adopts the scheme of a page and leaves fragments out', () => {
    for (const [given, opened] of [
      ['http://localhost:1/ws', 'ws://localhost:1/ws'],
      ['https://localhost:1/a?b#c', 'wss://localhost:1/a?b'],
      [new URL('ws://localhost:1/ws#x'), 'ws://localhost:1/ws'],
    ]) {
      adopt(connect(given, { reconnect: false }));
      assert.equal(session.url, opened);
      void session.close();
    }
  });
});

test('a server that accepts and says nothing is given up in time, again and again', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `ws://127.0.0.1:${silent.address().port}/`;
  adopt(connect(url, { connectTimeout: 10, reconnect: { initialDelay: 1, attempts: 2 } }));
  await assert.rejects(session.ready, ConnectionLost);
  silent.close();
});
