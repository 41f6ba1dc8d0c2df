// What only the Rust server does: cancelling, deadlines, its own subscriptions, resuming, and its manifest.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { CallTimeout, connect, v1, v2 } from 'wslink-client';
import { documentOf, generate } from '../generator/dist/index.js';
import { pattern, take } from './cases/check.js';
import { withGenerated } from './harness/generated.js';
import './harness/node-websocket.js';
import { startRust } from './harness/servers.js';

/** As many as the server lets one connection subscribe to at a time. */
const TOPICS_AT_ONCE = 1000;

for (const wire of [v1, v2]) {
  describe(`the Rust server, ${wire.name}`, { timeout: 60_000 }, () => {
    let server;
    let session;
    beforeEach(async () => {
      server = await startRust('kit');
      session = connect(server.url, { wire });
      await session.ready;
    });
    afterEach(async () => {
      await session.close();
      await server.stop();
    });

    async function interrupted() {
      while (!(await session.call('kit.interrupted'))) await session.call('kit.sleep', [1]);
    }

    test('stops a call that is aborted', async () => {
      const abort = new AbortController();
      const call = session.call('kit.hang', [], {}, { signal: abort.signal });
      await session.call('kit.echo');
      abort.abort();
      await assert.rejects(call, { name: 'AbortError' });
      await interrupted();
    });

    test('stops a call that takes too long', async () => {
      await assert.rejects(session.call('kit.hang', [], {}, { timeout: 20 }), CallTimeout);
      await interrupted();
    });

    test('sends what was subscribed to, and tells its limits', async () => {
      assert.equal(session.extensions.has('subscribe'), true);
      assert.equal(session.limits.callsInFlight > 0, true);
      const subscription = session.subscribe('kit.mine');
      await subscription.promise;
      await session.call('kit.publish', ['kit.other', 1]);
      await session.call('kit.publish', ['kit.mine', 2]);
      assert.deepEqual(await take(subscription, 1), [2]);
    });

    test('resumes a client of thousands of topics, and each event comes once', { timeout: 120_000 }, async () => {
      const sockets = [];
      const listener = connect(server.url, {
        wire,
        reconnect: { initialDelay: 1, maxDelay: 2 },
        webSocket: (url) => sockets[sockets.push(new WebSocket(url)) - 1],
      });
      try {
        await listener.ready;
        const events = new Map();
        const gaps = [];
        const name = (round, n) => `kit.many.${round}.${n}`;
        const publish = (round, payload) =>
          Promise.all(numbers.map((n) => session.call('kit.publish', [name(round, n), payload])));
        const numbers = Array.from({ length: TOPICS_AT_ONCE }, (_, n) => n);
        const listen = (round) => {
          const subscriptions = numbers.map((n) => {
            const heard = [];
            events.set(name(round, n), heard);
            return listener.subscribe(name(round, n), {
              onEvent: (event) => heard.push(event),
              onGap: (missed) => gaps.push([name(round, n), missed]),
            });
          });
          return Promise.all(subscriptions.map(async (subscription) => (await subscription.promise, subscription)));
        };

        // Topics that were left count, too.
        for (const round of [0, 1]) {
          const left = await listen(round);
          await publish(round, 'before');
          await listener.call('kit.echo');
          await Promise.all(left.map((subscription) => subscription.unsubscribe()));
        }
        await listen(2);
        await publish(2, 'before');
        await listener.call('kit.echo');
        // These are sent, and lost on the way.
        sockets[0].pause();
        await publish(2, 'lost');
        const resumed = new Promise((resolve) => {
          listener.onStateChange((state) => state.status === 'connected' && resolve(state.resumed));
        });
        sockets[0].terminate();
        await publish(2, 'after');
        assert.equal(await resumed, true);
        await listener.call('kit.echo');

        for (const [topic, heard] of events) {
          const expected = topic.startsWith('kit.many.2.') ? ['before', 'lost', 'after'] : ['before'];
          assert.deepEqual(heard, expected, topic);
        }
        assert.equal(events.size, 3 * TOPICS_AT_ONCE);
        assert.deepEqual(gaps, []);
        assert.equal(sockets.length, 2);
      } finally {
        await listener.close();
      }
    });

    test('describes itself, and the client made of that works', async () => {
      const { stdout } = spawnSync(process.env.KIT_BIN, ['--manifest'], { encoding: 'utf8', maxBuffer: 1 << 24 });
      const source = await generate(documentOf(JSON.parse(stdout)));
      await withGenerated(source, async ({ api }, complaints) => {
        assert.equal(complaints, '');
        const { kit } = api(session);
        assert.equal(await kit.null(), null);
        assert.deepEqual(await kit.blob({ size: 9, seed: 2 }), pattern(9, 2));
        assert.deepEqual(await kit.blob.positional([9]), pattern(9));
        assert.equal((await kit.blob.info({ data: new Uint8Array(7) })).length, 7);
        assert.deepEqual(await kit.echo.positional([1, 'two']), { args: [1, 'two'], kwargs: {} });
        assert.deepEqual(await kit.echo({ three: 3 }), { args: [], kwargs: { three: 3 } });
      });
    });
  });
}
