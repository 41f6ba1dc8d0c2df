// What a session says to a server that knows the extensions, message by message.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CallError, CallTimeout, ConnectionLost, connect, MessageTooLarge, ProtocolError } from 'wslink-client';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

describe('extensions', { timeout: 20_000 }, () => {
  let server;
  let session;
  let peer;

  beforeEach(async () => {
    server = await scriptedServer();
    session = connect(server.url, { reconnect: { initialDelay: 1 } });
    peer = await server.accept();
  });
  afterEach(async () => {
    await session.close();
    server.stop();
  });

  test('are asked for in hello and told by the session', async () => {
    const said = await peer.greet({ limits: { callsInFlight: 7 } });
    await session.ready;
    assert.deepEqual(said, {
      secret: 'wslink-secret',
      extensions: ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'],
    });
    assert.equal(session.extensions.has('cancel'), true);
    assert.deepEqual(session.limits, { callsInFlight: 7 });
    assert.equal(session.clientId, 'c1');
  });

  test('none in force: nothing of them is sent', async () => {
    await peer.greet({ extensions: undefined });
    const subscription = session.subscribe('a');
    await subscription.promise;
    const call = session.call('slow', [], {}, { timeout: 20 });
    assert.equal('timeout_ms' in (await peer.next('slow')), false);
    await assert.rejects(call, CallTimeout);
    await subscription.unsubscribe();
    session.call('last').catch(() => {});
    await peer.next('last');
    await assert.rejects(session.manifest(), { code: -32099 });
    await assert.rejects(session.subscribe('a', { filter: { x: 1 } }).promise, { code: -32099 });
    await session.subscribe('a', { filter: {} }).promise;
  });

  test('no frame is larger than the server accepts', async () => {
    await peer.greet({ maxMsgSize: 200 });
    await session.ready;
    session.call('work', [new Uint8Array(1000)]).catch(() => {});
    await peer.next('work');
    assert.equal(peer.largest <= 200, true);
  });

  test('a message that is too large is told from other errors', async () => {
    await peer.greet();
    const call = session.call('work', ['x']);
    const { id } = await peer.next('work');
    peer.send({ id, error: { code: -32003, message: 'Message too large', data: { limit: 100, got: 101 } } });
    await assert.rejects(call, (error) => {
      assert.equal(error instanceof MessageTooLarge, true);
      assert.deepEqual([error.code, error.limit, error.bytes], [-32003, 100, 101]);
      return true;
    });
  });

  test('what waits is gone with the subscription, and nothing listens to a signal any more', async () => {
    await peer.greet();
    const { signal } = new AbortController();
    const subscription = session.subscribe('a', { signal });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.event('a', 1);
    const call = session.call('work', [], {}, { signal });
    peer.reply(await peer.next('work'), null);
    await call;
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    await subscription.unsubscribe();
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    assert.equal((await subscription[Symbol.asyncIterator]().next()).done, true);
  });

  test('progress goes to the call until its reply', async () => {
    await peer.greet();
    const progress = [];
    const call = session.call('work', [], {}, { onProgress: (value) => progress.push(value) });
    const { id } = await peer.next('work');
    peer.send({ id, progress: 0.5 });
    peer.send({ id, progress: 1 });
    peer.send({ id, result: 'done' });
    assert.equal(await call, 'done');
    assert.deepEqual(progress, [0.5, 1]);
  });

  test('a call that is given up is cancelled', async () => {
    await peer.greet();
    const abort = new AbortController();
    const call = session.call('work', [], {}, { signal: abort.signal });
    const { id } = await peer.next('work');
    abort.abort();
    await assert.rejects(call, { name: 'AbortError' });
    assert.deepEqual((await peer.next('wslink.cancel')).args, [id]);
    // The answer to the cancelled call is nobody's.
    peer.send({ id, error: { code: -32004, message: 'Cancelled' } });
  });

  test('a timeout is the deadline on the server too', async () => {
    await peer.greet();
    const call = session.call('work', [], {}, { timeout: 60_000 });
    const { id, timeout_ms: given } = await peer.next('work');
    assert.equal(given > 0 && given <= 60_000, true);
    peer.send({ id, error: { code: -32005, message: 'Deadline exceeded' } });
    await assert.rejects(call, CallTimeout);
  });

  test('subscriptions with a filter have their own events and end', async () => {
    await peer.greet();
    const left = session.subscribe('tiles', { filter: { side: 'left' } });
    const right = session.subscribe('tiles', { filter: { side: 'right' } });
    for (const subscription of [4, 9]) peer.reply(await peer.next('wslink.subscribe'), { subscription });
    peer.event('tiles', 'r', { sub: 9 });
    peer.event('tiles', 'l', { sub: 4 });
    peer.event('tiles', undefined, { sub: 4, end: true });
    const events = [];
    for await (const event of left) events.push(event);
    assert.deepEqual(events, ['l']);
    assert.deepEqual((await right[Symbol.asyncIterator]().next()).value, 'r');
    await right.unsubscribe();
    assert.deepEqual((await peer.next('wslink.unsubscribe')).args, [9]);
  });

  test('a filter that cannot be packed', async () => {
    await peer.greet();
    await session.ready;
    const subscription = session.subscribe('tiles', { filter: { side: () => {} } });
    await assert.rejects(subscription.promise, { name: 'UnsupportedValue', path: 'filter.side' });
    session.call('next').catch(() => {});
    await peer.next('next');
  });

  test('a hello without an id', async () => {
    const ended = new Promise((resolve) => session.onStateChange(resolve));
    peer.reply(await peer.next('wslink.hello'), null);
    const { error } = await ended;
    assert.equal(error instanceof ProtocolError, true);
  });

  test('a refused subscription fails where it is used', async () => {
    await peer.greet();
    const subscription = session.subscribe('tiles', { filter: { side: 1 } });
    const { id, args, kwargs } = await peer.next('wslink.subscribe');
    assert.deepEqual([args, kwargs], [['tiles'], { side: 1 }]);
    peer.send({ id, error: { code: -32602, message: 'Invalid params', data: { param: 'side' } } });
    await assert.rejects(subscription.promise, CallError);
    await assert.rejects(subscription[Symbol.asyncIterator]().next(), { data: { param: 'side' } });
  });

  test('the event right after the reply to a subscription is not missed', async () => {
    await peer.greet();
    const subscription = session.subscribe('state');
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.event('state', 'retained');
    await subscription.promise;
    const { value } = await subscription[Symbol.asyncIterator]().next();
    assert.equal(value, 'retained');
  });

  test('the manifest', async () => {
    await peer.greet();
    await session.ready;
    const manifest = session.manifest();
    peer.reply(await peer.next('wslink.manifest'), { openrpc: '1.3.2' });
    assert.deepEqual(await manifest, { openrpc: '1.3.2' });
  });

  test('a resumed connection keeps its subscriptions and tells what was lost', async () => {
    await peer.greet({ resume: 'token-1' });
    const heard = [];
    const gaps = [];
    const onGap = (topic) => (missed) => gaps.push([topic, missed]);
    session.subscribe('a', { onEvent: (event) => heard.push(event), onGap: onGap('a') });
    session.subscribe('b', { onGap: onGap('b') });
    const gone = session.subscribe('c');
    session.subscribe('d', { onGap: onGap('d') });
    for (const subscription of [1, 2, 3, 4]) peer.reply(await peer.next('wslink.subscribe'), { subscription });
    peer.event('a', 1);
    peer.event('a', 2);
    peer.event('b', 1);
    peer.event('d', 1, { sub: 4 });
    const lost = session.call('work');
    await peer.next('work');
    await gone.promise;
    peer.drop();
    await assert.rejects(lost, (error) => error instanceof ConnectionLost && error.maybeExecuted);
    await gone.unsubscribe();
    const waiting = session.call('later');

    peer = await server.accept();
    const said = await peer.greet({ resume: 'token-2', resumed: { missed: { b: 5 }, kept: [1, 2, 3] } });
    assert.equal(said.resume, 'token-1');
    assert.equal(said.received, 3);
    // As in the Rust client: what nobody wants any more first.
    assert.deepEqual((await peer.next('wslink.unsubscribe')).args, [3]);
    assert.deepEqual((await peer.next('wslink.subscribe')).args, ['d']);
    peer.event('a', 3);
    peer.reply(await peer.next('later'), 'sent');
    assert.equal(await waiting, 'sent');
    assert.deepEqual(heard, [1, 2, 3]);
    assert.deepEqual(gaps, [
      ['b', 5],
      ['d', undefined],
    ]);
    assert.equal(session.state.resumed, true);
  });

  test('a connection that was forgotten subscribes anew', async () => {
    await peer.greet({ resume: 'token-1' });
    const gaps = [];
    session.subscribe('a', { filter: { x: 1 }, onGap: (missed) => gaps.push(missed) });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    peer.drop();
    peer = await server.accept();
    await peer.greet({ resume: 'token-2', resumed: null });
    assert.deepEqual((await peer.next('wslink.subscribe')).kwargs, { x: 1 });
    assert.deepEqual(gaps, [undefined]);
    assert.equal(session.state.resumed, false);
  });

  test('chunks of several messages in any order', async () => {
    await peer.greet();
    const call = session.call('work');
    const request = await peer.next('work');
    const heard = new Promise((resolve) => session.subscribe('a', ([event]) => resolve(event.length)));
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    const big = peer.frames({ id: request.id, result: new Uint8Array(1000).fill(7) }, 100);
    const [first, ...rest] = peer.frames({ id: 'publish:a:0', result: new Uint8Array(300) }, 100);
    [...big.slice(1).reverse(), first, big[0], ...rest].forEach((frame) => peer.sendFrame(frame));
    assert.deepEqual(await call, new Uint8Array(1000).fill(7));
    assert.equal(await heard, 300);
  });

  test('what is no message ends the connection and says so', async () => {
    await peer.greet();
    await session.ready;
    const ended = new Promise((resolve) => session.onStateChange(resolve));
    peer.sendFrame(new Uint8Array(3));
    const { status, error } = await ended;
    assert.equal(status, 'waiting');
    assert.equal(error instanceof ProtocolError, true);
  });
});
