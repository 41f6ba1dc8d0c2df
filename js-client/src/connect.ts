// Opens sessions.
import type { ConnectOptions } from './options.js';
import { Session } from './session.js';

/**
 * A session with the server at `url`, which may be relative to the page and have the scheme of a page.
 * It connects in the background; calls made before wait, and `ready` tells.
 */
export function connect(url: string | URL = 'ws', options: ConnectOptions = {}): Session {
  const absolute = new URL(url, globalThis.document?.baseURI);
  absolute.protocol = absolute.protocol.replace('http', 'ws');
  return new Session(absolute.href, options);
}
