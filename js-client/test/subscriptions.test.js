// Subscriptions hear of their end, of gaps and of nothing after they were left: rows of the README's table.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { accept, answered, open, peer, session, until } from './harness/scripted-session.js';

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
    await accept();
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
    await accept();
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
