// What only the Rust server does: cancelling, deadlines, its own subscriptions, and its manifest.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CallTimeout, connect, v1, v2 } from 'wslink-client';
import { documentOf, generate } from '../generator/dist/index.js';
import { pattern, take } from './cases/check.js';
import { withGenerated } from './harness/generated.js';
import './harness/node-websocket.js';
import { startRust } from './harness/servers.js';

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
