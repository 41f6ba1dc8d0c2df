// Opens sessions.
import type { ConnectOptions } from './options.js';
import { createSession, type Session } from './session.js';

/**
 * A session with the server at `url`, which may be relative to the page or worker and have the scheme of a page.
 * It connects in the background; calls made before wait, and `ready` tells. Throws a `TypeError` for an invalid URL.
 */
export function connect(url: string | URL = 'ws', options: ConnectOptions = {}): Session {
  return createSession(socketUrl(url), options);
}

function socketUrl(url: string | URL): string {
  const { document, location } = globalThis as Partial<Pick<typeof globalThis, 'document' | 'location'>>;
  // A worker that was made of a blob has no place in a hierarchy; its origin is that of its page.
  const here = location?.href.startsWith('blob:') ? location.origin : location?.href;
  let failure: unknown;
  try {
    const absolute = new URL(url, document?.baseURI ?? here);
    absolute.protocol = absolute.protocol.replace('http', 'ws');
    absolute.hash = '';
    if (/^wss?:$/.test(absolute.protocol)) return absolute.href;
  } catch (cause) {
    failure = cause;
  }
  throw new TypeError(`invalid URL of a server: ${String(url)}`, { cause: failure });
}
