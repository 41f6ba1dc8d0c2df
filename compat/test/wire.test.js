// What is on the wire, where the stock clients show only the outcome.
import { encode } from '@msgpack/msgpack';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../harness/server.js';
import { WireClient, chunks } from '../harness/wire-client.js';

let server;
before(async () => {
  server = await startServer('kit');
});
after(() => server?.stop());

const UNAUTHORIZED = { code: -32000, message: 'Unauthorized: Skip message processing' };

for (const protocol of ['v1', 'v2']) {
  describe(`${protocol} frames`, { timeout: 60_000 }, () => {
    const open = () => WireClient.open(server.socketUrl, protocol);
    const greeted = async () => {
      const client = await open();
      await client.hello();
      return client;
    };

    test('a call before hello is refused, and hello still works', async () => {
      const client = await open();
      assert.deepEqual(await client.ask({ id: 'rpc:c0:0', method: 'kit.null' }), {
        wslink: '1.0',
        id: 'rpc:c0:0',
        error: UNAUTHORIZED,
      });
      assert.ok((await client.hello()).result.clientID);
      await client.close();
    });

    test('hello names the client', async () => {
      const [first, second] = [await open(), await open()];
      const { result, ...envelope } = await first.hello();
      assert.deepEqual(envelope, { wslink: '1.0', id: 'system:c0:0' });
      assert.match(result.clientID, /^\w+(\.\w+)*$/);
      assert.equal('maxMsgSize' in result, protocol === 'v2');
      assert.equal((await first.hello()).result.clientID, result.clientID);
      assert.notEqual((await second.hello()).result.clientID, result.clientID);
      await Promise.all([first.close(), second.close()]);
    });

    test('a failed hello leaves the connection open for a good one', async () => {
      const client = await open();
      assert.deepEqual((await client.hello('wrong')).error, { code: -32000, message: 'Authentication failed' });
      assert.ok((await client.hello()).result.clientID);
      assert.ok((await client.hello('wrong')).error);
      assert.equal((await client.ask({ id: 'rpc:c:0', method: 'kit.null' })).result, null);
      await client.close();
    });

    test('the result comes before the events that the call published, these in order', async () => {
      const client = await greeted();
      const topic = `order.${protocol}`;
      const answer = await client.ask({ id: 'rpc:c:1', method: 'kit.publish', args: [topic, 'x', 20] });
      assert.equal(answer.id, 'rpc:c:1');
      for (let n = 0; n < 20; n += 1) {
        assert.deepEqual(await client.next(), { wslink: '1.0', id: `publish:${topic}:0`, result: { n, payload: 'x' } });
      }
      await client.close();
    });

    test('another system call is unknown', async () => {
      const client = await greeted();
      const { error } = await client.ask({ id: 'system:c0:1', method: 'kit.null' });
      assert.deepEqual(error, { code: -32601, message: 'Unknown system method called' });
      await client.close();
    });

    test('a message without id is dropped, missing arguments count as none', async () => {
      const client = await greeted();
      client.send({ wslink: '1.0', method: 'kit.null' });
      client.send({ wslink: '1.0', id: 'rpc:c:2', method: 'kit.echo' });
      assert.deepEqual(await client.next(), { wslink: '1.0', id: 'rpc:c:2', result: { args: [], kwargs: {} } });
      await client.close();
    });

    test('malformed input closes that connection only', async () => {
      const [broken, other] = [await greeted(), await greeted()];
      broken.sendFrame(protocol === 'v1' ? '{"wslink":' : Buffer.of(1, 2, 3));
      assert.ok([1002, 1007].includes((await broken.closed).code));
      assert.equal((await other.ask({ id: 'rpc:c:3', method: 'kit.null' })).result, null);
      await other.close();
    });

    test('an event reaches nobody who has not said hello', async () => {
      const [stranger, client] = [await open(), await greeted()];
      await client.ask({ id: 'rpc:c:4', method: 'kit.publish', args: [`private.${protocol}`, 'secret'] });
      assert.deepEqual((await stranger.ask({ id: 'rpc:c0:0', method: 'kit.null' })).error, UNAUTHORIZED);
      await Promise.all([stranger.close(), client.close()]);
    });
  });
}

test('v1 announces each attachment just before its bytes and its message', { timeout: 60_000 }, async () => {
  const client = await WireClient.open(server.socketUrl, 'v1');
  await client.hello();
  for (let n = 0; n < 30; n += 1) {
    client.send({ wslink: '1.0', id: `rpc:c:${n}`, method: 'kit.blob', args: [1000 + n] });
  }
  for (let n = 0; n < 30; n += 1) {
    const header = await client.next();
    assert.equal(header.method, 'wslink.binary.attachment');
    assert.equal('id' in header, false);
    const bytes = await client.nextFrame();
    const message = await client.next();
    assert.equal(message.result, header.args[0]);
    assert.equal(bytes.length, 1000 + Number(message.id.split(':')[2]));
  }
  await client.close();
});

test('v2 accepts chunks of one byte, in any order, of several messages', { timeout: 60_000 }, async () => {
  const client = await WireClient.open(server.socketUrl, 'v2');
  await client.hello();
  const frames = [7, 8].flatMap((id) =>
    chunks(encode({ wslink: '1.0', id: `rpc:c:${id}`, method: 'kit.echo', args: [id], kwargs: {} }), id, 1),
  );
  frames.sort((a, b) => b.readUInt32LE(4) - a.readUInt32LE(4)).forEach((frame) => client.sendFrame(frame));
  const answers = [await client.next(), await client.next()];
  assert.deepEqual(answers.map((answer) => answer.result.args[0]).sort(), [7, 8]);
  await client.close();
});

test('v2 frames stay within the announced size', { timeout: 60_000 }, async () => {
  const client = await WireClient.open(server.socketUrl, 'v2');
  const { maxMsgSize } = (await client.hello()).result;
  client.send({ wslink: '1.0', id: 'rpc:c:0', method: 'kit.blob', args: [9_000_000] });
  let [received, total] = [0, Infinity];
  while (received < total) {
    const frame = await client.nextFrame();
    assert.ok(frame.length <= maxMsgSize);
    total = frame.readUInt32LE(8);
    received += frame.length - 12;
  }
  assert.equal(received, total);
  await client.close();
});
