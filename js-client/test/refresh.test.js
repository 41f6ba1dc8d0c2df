// How a session renews what it was admitted with, against a server of which each test decides every message.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { connect } from 'wslink-client';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

describe('a secret that expires', { timeout: 20_000 }, () => {
  let server;
  let session;
  let asked;
  const secret = async () => {
    asked += 1;
    if (asked === 2) throw new Error('no network');
    return `token ${asked}`;
  };

  beforeEach(async () => {
    asked = 0;
    server = await scriptedServer();
    session = connect(server.url, { secret, reconnect: { initialDelay: 1 } });
  });
  afterEach(async () => {
    await session.close();
    server.stop();
  });

  test('is got and said anew on the same connection, again when it could not be got', async () => {
    const peer = await server.accept();
    assert.equal((await peer.greet({ expiresInMs: 4000, resume: 'r1' })).secret, 'token 1');
    // The second one cannot be had; there is time for a third, which soon expires.
    const again = await peer.next('wslink.hello');
    assert.equal(again.args[0].secret, 'token 3');
    assert.equal('resume' in again.args[0], false);
    peer.reply(again, { clientID: 'c1', expiresInMs: 20, resume: 'r2' });
    const third = await peer.next('wslink.hello');
    assert.equal(third.args[0].secret, 'token 4');
    peer.reply(third, { clientID: 'c1', resume: 'r3' });
    const call = session.call('work');
    peer.reply(await peer.next('work'), 1);
    assert.equal(await call, 1);
    assert.equal(session.clientId, 'c1');
    // What a reconnect resumes is what the last hello gave.
    peer.drop();
    assert.equal((await (await server.accept()).greet()).resume, 'r3');
  });

  test('that the server refuses is not said again, and the next connection begins with another', async () => {
    const peer = await server.accept();
    await peer.greet({ expiresInMs: 20 });
    asked = 5;
    const refused = await peer.next('wslink.hello');
    peer.send({ id: refused.id, error: { code: -32000, message: 'Authentication failed' } });
    const call = session.call('work');
    peer.reply(await peer.next('work'), 1);
    assert.equal(await call, 1);
    peer.drop();
    assert.equal((await (await server.accept()).greet()).secret, 'token 7');
  });
});
