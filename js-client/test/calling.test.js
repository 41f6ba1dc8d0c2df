// Every call settles, with the right error: rows of the README's table "What happens when".
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { CallTimeout, connect, ConnectionLost, MessageTooLarge, v1 } from 'wslink-client';
import { accept, adopt, answered, FAST, open, peer, server, session } from './harness/scripted-session.js';

describe('calls', { timeout: 20_000 }, () => {
  for (const timeout of [Infinity, 2 ** 31, 30 * 86_400_000, 2 ** 40]) {
    test(`a timeout of ${timeout} ms does not end at once`, async () => {
      await open({ connectTimeout: timeout, reconnect: { initialDelay: 1, maxDelay: timeout } });
      await peer.greet();
      const call = session.call('work', [], {}, { timeout });
      const { id, timeout_ms: told } = await peer.next('work');
      await sleep(20);
      if (timeout === Infinity) assert.equal(told, undefined);
      else assert.ok(told > timeout - 10_000 && told <= timeout);
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
      assert.throws(() => connect(server.url, { ping: { interval: timeout } }), RangeError);
      assert.throws(() => connect(server.url, { reconnect: { maxDelay: timeout } }), RangeError);
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
    await accept();
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
    const onProgress = (progress) => heard.push(`progress ${progress}`);
    const calls = [wrapped('one'), wrapped('two'), session.call('three', [], {}, { onProgress })];
    const [one, two, three] = [await peer.next('one'), await peer.next('two'), await peer.next('three')];
    peer.inOneSegment(() => {
      peer.event('a', 0);
      peer.reply(one, 1);
      peer.event('a', 2);
      peer.reply(two, 3);
      peer.event('a', 4);
      peer.send({ id: three.id, progress: 5 });
      peer.reply(three, 6);
    });
    await Promise.all(calls);
    await answered(session.call('x'), 'x', 1);
    assert.deepEqual(heard, ['event 0', 'reply 1', 'event 2', 'reply 3', 'event 4', 'progress 5']);
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

  test('no more are sent at once than the server takes', async () => {
    await open();
    await peer.greet({ limits: { callsInFlight: 2 } });
    const calls = ['one', 'two', 'three', 'four'].map((method) => session.call(method));
    const [one, two] = [await peer.next('one'), await peer.next('two')];
    // What is no call of the application does not wait.
    session.subscribe('a');
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.reply(two, 2);
    peer.reply(await peer.next('three'), 3);
    peer.reply(await peer.next('four'), 4);
    peer.reply(one, 1);
    assert.deepEqual(await Promise.all(calls), [1, 2, 3, 4]);
  });

  test('20,000 that wait and turn out too large fail, and the next one is sent', async () => {
    await open();
    const large = Array.from({ length: 20_000 }, () => session.call('large', [new Uint8Array(500)]));
    const outcomes = Promise.allSettled(large);
    const small = session.call('small');
    await peer.greet({ limits: { messageBytes: 400 } });
    assert.equal(await answered(small, 'small', 1), 1);
    assert.equal(
      (await outcomes).every(({ reason }) => reason instanceof MessageTooLarge),
      true,
    );
  });

  test('a reason of a signal may be anything', async () => {
    await open();
    const abort = new AbortController();
    const reason = Object.create(null);
    const call = session.call('work', [], {}, { signal: abort.signal });
    abort.abort(reason);
    assert.equal(await call.catch((error) => error), reason);
  });

  test('40,000 that wait, and time out, settle', async () => {
    adopt(connect(server.url, { reconnect: FAST }));
    const calls = Array.from({ length: 40_000 }, () => session.call('work', [], {}, { timeout: 1 }));
    const outcomes = await Promise.allSettled(calls);
    assert.equal(
      outcomes.every(({ reason }) => reason instanceof CallTimeout && !reason.maybeExecuted),
      true,
    );
  });
});
