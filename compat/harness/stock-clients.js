// Loads both stock clients in node, with the few globals of a page that they touch.
import { createRequire } from 'node:module';
import { WebSocket } from 'ws';

Object.assign(globalThis, {
  WebSocket,
  self: globalThis,
  window: { location: new URL('http://localhost/') },
  document: { baseURI: 'http://localhost/' },
});

const require = createRequire(import.meta.url);

export const stock = { v1: require('wslink-v1'), v2: require('wslink-v2') };
