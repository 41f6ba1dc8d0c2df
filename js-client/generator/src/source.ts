// Gets a manifest from a file, over HTTP or from a running server.
import { readFile } from 'node:fs/promises';
import { connect } from '../../src/connect.js';
import type { SocketLike } from '../../src/options.js';
import { documentOf, type OpenRpc } from './document.js';

/** `source` is a path, an address of the document or of its server, or the address of a WebSocket. */
export async function load(source: string, secret?: string): Promise<OpenRpc> {
  if (/^wss?:/.test(source)) return documentOf(await overWebSocket(source, secret));
  if (/^https?:/.test(source)) return documentOf(await overHttp(source));
  return documentOf(JSON.parse(await readFile(source, 'utf8')));
}

async function overHttp(source: string): Promise<unknown> {
  const url = source.endsWith('.json') ? source : `${source.replace(/\/?$/, '/')}manifest.json`;
  const answer = await fetch(url);
  if (!answer.ok)
    throw new Error(`${url} answers ${answer.status} ${answer.statusText}; does the server serve its manifest?`);
  return answer.json();
}

async function overWebSocket(source: string, secret: string | undefined): Promise<unknown> {
  // Node has one of its own since version 22.
  const Socket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
  const webSocket = (url: string): SocketLike => new Socket(url) as SocketLike;
  const session = connect(source, { reconnect: false, webSocket, ...(secret === undefined ? {} : { secret }) });
  try {
    await session.ready;
    return await session.manifest();
  } finally {
    await session.close();
  }
}
