// How a session lives through drops, with the Rust server behind a proxy that can cut.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { connect, ConnectionLost, v1, v2 } from 'wslink-client';
import { delayBefore } from '../dist/backoff.js';
import './harness/node-websocket.js';
import { freePort, startRust } from './harness/servers.js';

class Proxy {
  #sockets = new Set();
  #server;

  static async to(port) {
    const proxy = new Proxy();
    proxy.#server = createServer((near) => {
      const far = connectTcp(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        proxy.#sockets.add(one);
        one.pipe(other).on('error', () => {});
        one.on('close', () => other.destroy()).on('error', () => {});
      }
    }).listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url() {
    return `ws://127.0.0.1:${this.#server.address().port}/ws`;
  }

  cut() {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  stop() {
    this.#server.close();
    this.cut();
  }
}

const until = (session, status) =>
  new Promise((resolve) => {
    const off = session.onStateChange((state) => {
      if (state.status !== status) return;
      off();
      resolve(state);
    });
  });

for (const wire of [v1, v2]) {
  describe(`reconnect, ${wire.name}`, { timeout: 30_000 }, () => {
    let server;
    let proxy;
    let session;
    before(async () => {
      server = await startRust('kit');
    });
    beforeEach(async () => {
      proxy = await Proxy.to(server.port);
    });
    afterEach(async () => {
      await session?.close();
      proxy.stop();
    });
    after(() => server?.stop());

    test('subscriptions go on, calls in flight fail, others wait, the secret is asked for anew', async () => {
      let secrets = 0;
      const secret = async () => {
        secrets += 1;
        return 'wslink-secret';
      };
      session = connect(proxy.url, { wire, secret, reconnect: { initialDelay: 10, resetAfter: 0 } });
      const states = [];
      session.onStateChange(({ status }) => states.push(status));
      const subscription = session.subscribe('kit.lasting');
      const events = subscription[Symbol.asyncIterator]();
      await subscription.promise;
      await session.call('kit.publish', ['kit.lasting', 1]);
      assert.equal((await events.next()).value, 1);

      const inFlight = session.call('kit.hang');
      await session.call('kit.echo');
      const again = until(session, 'connected');
      proxy.cut();
      await assert.rejects(inFlight, (error) => error instanceof ConnectionLost && error.maybeExecuted);
      assert.equal(session.clientId, undefined);
      const waiting = session.call('kit.echo', ['later']);
      await again;
      assert.deepEqual((await waiting).args, ['later']);
      await session.call('kit.publish', ['kit.lasting', 2]);
      assert.equal((await events.next()).value, 2);
      assert.equal(secrets, 2);
      assert.deepEqual(states, ['connected', 'waiting', 'connecting', 'connected']);
      const waits = until(session, 'waiting');
      proxy.cut();
      assert.equal((await waits).attempt, 1);
    });

    test('what was published while it was away comes once and in order', async (context) => {
      session = connect(proxy.url, { wire, reconnect: { initialDelay: 10 } });
      const other = connect(server.url, { wire });
      context.after(() => other.close());
      const heard = [];
      const gaps = [];
      let last;
      const done = new Promise((resolve) => (last = resolve));
      session.subscribe('kit.kept', {
        onEvent: ({ n, payload }) => {
          heard.push(n);
          if (payload === 'last' && n === 499) last();
        },
        onGap: (missed) => gaps.push(missed),
      });
      await session.ready;
      await session.call('kit.null');
      const { clientId } = session;
      for (let round = 0; round < 5; round += 1) {
        // Some of it is lost on its way, the rest is published while nobody is there.
        const publishing = other.call('kit.publish', ['kit.kept', round, 500]);
        const again = until(session, 'connected');
        proxy.cut();
        await Promise.all([publishing, again]);
      }
      await other.call('kit.publish', ['kit.kept', 'last', 500]);
      await done;
      assert.deepEqual(
        heard,
        Array.from({ length: 3000 }, (_, at) => at % 500),
      );
      assert.deepEqual(gaps, []);
      assert.equal(session.state.resumed, true);
      assert.equal(session.clientId, clientId);
    });

    test('the drop-in tells of each connection and each drop', async () => {
      const { WebsocketConnection } = await import(`wslink-client/${wire === v1 ? 'stock-v1' : 'stock'}`);
      const connection = WebsocketConnection.newInstance({ urls: proxy.url, reconnect: { initialDelay: 10 } });
      const heard = [];
      const next = (on) => new Promise((resolve) => on((...args) => resolve(args)));
      connection.onConnectionReady(() => heard.push('ready'));
      connection.onConnectionClose((source, { code }) => heard.push(`close ${code}`));
      session = connection.connect();
      await next(connection.onConnectionReady);
      const again = next(connection.onConnectionReady);
      proxy.cut();
      await again;
      assert.deepEqual(heard, ['ready', 'close 1006', 'ready']);
      connection.destroy(0);
      assert.equal(connection.getSession(), null);
    });

    test('without it, a drop ends the session and says why', async () => {
      session = connect(proxy.url, { wire, reconnect: false });
      await session.ready;
      const ended = until(session, 'closed');
      proxy.cut();
      const { error } = await ended;
      assert.equal(error instanceof ConnectionLost, true);
      assert.equal(error.close.code, 1006);
      await assert.rejects(session.call('kit.echo'), ConnectionLost);
      await assert.rejects(session.subscribe('a').promise, ConnectionLost);
    });
  });
}

describe('a server that is not there', { timeout: 30_000 }, () => {
  test('is given up after as many attempts as were said', async () => {
    const session = connect(`ws://127.0.0.1:${await freePort()}/ws`, { reconnect: { initialDelay: 1, attempts: 3 } });
    const waits = [];
    session.onStateChange((state) => state.status === 'waiting' && waits.push(state.attempt));
    const call = session.call('kit.echo');
    await assert.rejects(session.ready, ConnectionLost);
    await assert.rejects(call, (error) => error instanceof ConnectionLost && !error.maybeExecuted);
    assert.deepEqual(waits, [1, 2, 3]);
  });

  test('fails calls at once if they shall not wait', async () => {
    const session = connect(`ws://127.0.0.1:${await freePort()}/ws`, { waitForConnection: false, reconnect: false });
    await assert.rejects(session.call('kit.echo'), { code: -32099 });
    await assert.rejects(session.ready, ConnectionLost);
  });

  test('that accepts and says nothing is given up too', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = connect(`ws://127.0.0.1:${server.address().port}/`, { connectTimeout: 20, reconnect: false });
    await assert.rejects(session.ready, ConnectionLost);
    server.close();
  });

  test('the secret that cannot be had counts as one', async () => {
    const failure = new Error('no token');
    const session = connect('ws://127.0.0.1:9/ws', { secret: () => Promise.reject(failure), reconnect: false });
    await assert.rejects(session.ready, { cause: failure });
  });
});

test('waits grow to their limit and are never alike', () => {
  const waits = (attempt) =>
    Array.from({ length: 50 }, () => delayBefore(attempt, { initialDelay: 100, maxDelay: 1000 }));
  for (const [attempt, longest] of [
    [1, 100],
    [2, 200],
    [3, 400],
    [20, 1000],
  ]) {
    assert.equal(
      waits(attempt).every((wait) => wait >= longest / 2 && wait <= longest),
      true,
    );
  }
  assert.equal(new Set(waits(1)).size > 1, true);
});
