// A session and a server of which a test decides every message, made anew for each test of the file that imports this.
import { afterEach, beforeEach } from 'node:test';
import { connect } from 'wslink-client';
import './node-websocket.js';
import { scriptedServer } from './scripted-server.js';

/** Reconnects without a wait worth speaking of. */
export const FAST = { initialDelay: 1, maxDelay: 2 };

export let server;
export let session;
/** The newest connection, as the server sees it. */
export let peer;

beforeEach(async () => {
  server = await scriptedServer();
});
afterEach(async () => {
  await session?.close();
  server.stop();
});

/** Opens a session; its hello is still to be answered. */
export async function open(options = {}) {
  session = connect(server.url, { reconnect: FAST, ...options });
  await accept();
}

/** A session that the test opened, to be closed after it. */
export function adopt(opened) {
  session = opened;
}

/** Waits for the next connection. */
export async function accept() {
  peer = await server.accept();
}

/** The next state of this status. */
export function until(status) {
  return new Promise((resolve) => {
    const off = session.onStateChange((state) => {
      if (state.status !== status) return;
      off();
      resolve(state);
    });
  });
}

/** Answers a call that was made. */
export async function answered(call, method, result) {
  peer.reply(await peer.next(method), result);
  return call;
}
