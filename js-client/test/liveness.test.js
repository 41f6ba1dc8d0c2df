// A connection that is dead without having ended is noticed: rows of the README's table "What happens when".
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answered, open, peer, session, until } from './harness/scripted-session.js';

const PINGING = { interval: 10, timeout: 1000 };

describe('a connection that is dead without having ended', { timeout: 20_000 }, () => {
  test('is asked, and lives if it answers', async () => {
    await open({ ping: PINGING });
    await peer.greet();
    for (let n = 0; n < 3; n += 1) {
      const ping = await peer.next('wslink.cancel');
      assert.deepEqual(ping.args, ['']);
      peer.reply(ping, false);
    }
    assert.equal(session.state.status, 'connected');
  });

  test('is given up if it does not answer', async () => {
    await open({ ping: { interval: 10, timeout: 10 } });
    await peer.greet();
    await session.ready;
    const { error } = await until('waiting');
    assert.match(error.message, /silent/);
  });

  test('of a stock server is asked with a method that it does not know, and not given up while it has calls', async () => {
    await open({ ping: { interval: 10, timeout: 10 } });
    await peer.greet({ extensions: undefined });
    const call = session.call('long');
    const long = await peer.next('long');
    for (let n = 0; n < 3; n += 1) await peer.next('wslink.ping');
    peer.reply(long, 'done');
    assert.equal(await call, 'done');
    const { error } = await until('waiting');
    assert.match(error.message, /silent/);
  });

  test('is asked again where the process itself was stopped', async () => {
    await open({ ping: { interval: 10, timeout: 500 } });
    await peer.greet();
    const first = await peer.next('wslink.cancel');
    // Nothing runs meanwhile, neither the timer nor the server.
    for (const end = performance.now() + 2000; performance.now() < end;);
    const second = await peer.next('wslink.cancel');
    assert.notEqual(first.id, second.id);
    assert.equal(session.state.status, 'connected');
  });

  test('is not looked for where that is switched off', async () => {
    await open({ ping: false });
    await peer.greet();
    await session.ready;
    session.reconnectNow();
    assert.equal(await answered(session.call('first'), 'first', 1), 1);
  });

  test('is asked at once by reconnectNow', async () => {
    await open();
    await peer.greet();
    await session.ready;
    session.reconnectNow();
    peer.reply(await peer.next('wslink.cancel'), false);
  });
});
