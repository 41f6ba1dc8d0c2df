// Closing in any callback, and what `debug` remembers: rows of the README's table "What happens when".
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { ConnectionLost } from 'wslink-client';
import { accept, answered, open, peer, session, until } from './harness/scripted-session.js';

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
        await accept();
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

  test('a listener of the signal of the secret: the session stays closed', async () => {
    await open({
      secret: ({ signal }) => {
        signal.addEventListener('abort', () => void session.close());
        return 'secret';
      },
    });
    await peer.greet();
    await session.ready;
    peer.drop();
    await until('closed');
    await sleep(5);
    assert.equal(session.state.status, 'closed');
  });

  test('calls in onGap are sent, also those that shall not wait', async () => {
    await open({ waitForConnection: false });
    await peer.greet();
    let call;
    const subscription = session.subscribe('a', { onGap: () => (call = session.call('again')) });
    peer.reply(await peer.next('wslink.subscribe'), { subscription: 1 });
    await subscription.promise;
    peer.drop();
    await accept();
    await peer.greet();
    await peer.next('wslink.subscribe');
    peer.reply(await peer.next('again'), 'yes');
    assert.equal(await call, 'yes');
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
