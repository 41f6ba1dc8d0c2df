// Serves the matrix, the page that runs it and the stock clients' bundles to a browser.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = {
  browser: 'browser/page',
  matrix: 'matrix',
  v1: 'node_modules/wslink-v1/dist',
  v2: 'node_modules/wslink-v2/dist',
};
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

export async function servePages() {
  const server = createServer(async ({ url }, response) => {
    const [, folder, file] = /^\/(\w+)\/([\w.-]+)$/.exec(url) ?? [];
    try {
      const content = await readFile(join(PACKAGE, FOLDERS[folder], file));
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    matrixUrl: `http://127.0.0.1:${server.address().port}/browser/matrix.html`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
