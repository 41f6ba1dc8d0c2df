// The examples of the repository, as their pages use them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, v1, v2 } from 'wslink-client';
import { take } from './cases/check.js';
import './harness/node-websocket.js';
import { startRust } from './harness/servers.js';

const PNG = [137, 80, 78, 71];

for (const wire of [v1, v2]) {
  describe(`examples, ${wire.name}`, { timeout: 30_000 }, () => {
    let servers;
    let simple;
    let chat;
    before(async () => {
      servers = await Promise.all([startRust('simple'), startRust('chat')]);
      [simple, chat] = servers.map(({ url }) => connect(url, { wire }));
    });
    after(async () => {
      await Promise.all([simple, chat].map((session) => session?.close()));
      await Promise.all((servers ?? []).map((server) => server.stop()));
    });

    test('simple', async () => {
      assert.equal(await simple.call('myprotocol.add', [[1, 2, 3.5]]), 6.5);
      assert.deepEqual(await simple.call('myprotocol.special'), [Infinity, NaN, -Infinity]);
      const { image, bytesList } = await simple.call('myprotocol.nested.image');
      assert.deepEqual([...image.blob.subarray(0, 4)], PNG);
      assert.deepEqual(
        bytesList.map((bytes) => [...bytes]),
        [
          [1, 2, 3, 4],
          [5, 6, 7, 8, 9, 10],
        ],
      );
      assert.equal(await simple.call('myprotocol.postbinary', [new Blob(['abc'])]), 'received binary data of length 3');

      const images = simple.subscribe('image');
      await images.promise;
      await simple.call('myprotocol.stream', ['image']);
      for (const { blob } of await take(images, 2)) assert.deepEqual([...blob.subarray(0, 4)], PNG);
      assert.deepEqual(await simple.call('myprotocol.stop', ['image']), { unsubscribed: 'image' });
    });

    test('chat', async () => {
      await chat.call('wslink.stop.talking');
      const lines = chat.subscribe('wslink.communication.channel');
      await lines.promise;
      assert.equal(await chat.call('wslink.say.hello', ['you']), 'py server: you');
      assert.deepEqual(await take(lines, 1), ['py server: you']);
    });
  });
}
