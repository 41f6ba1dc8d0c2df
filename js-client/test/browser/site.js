// Serves the pages of the browser tests, bundled and under a strict policy, and a launcher beside them.
import { build } from 'esbuild';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the client needs: its scripts and its connection. No `eval`, nothing inline. */
const POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self' ws://127.0.0.1:*";

const page = (script) =>
  `<!doctype html><meta charset="utf-8"><title>wslink-client</title><script type="module" src="${script}"></script>`;

export async function startSite() {
  const { outputFiles } = await build({
    entryPoints: ['page.js', 'all.js', 'worker.js'].map((file) => fileURLToPath(new URL(file, import.meta.url))),
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  const scripts = new Map(outputFiles.map(({ path, text }) => [`/${basename(path)}`, text]));
  const reports = new EventEmitter();
  const launcher = launcherThatIsBusyFirst();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    response.setHeader('content-security-policy', POLICY);
    if (pathname === '/') response.setHeader('content-type', 'text/html').end(page('page.js'));
    else if (pathname === '/all') response.setHeader('content-type', 'text/html').end(page('all.js'));
    else if (scripts.has(pathname)) response.setHeader('content-type', 'text/javascript').end(scripts.get(pathname));
    else if (pathname === '/report') {
      const { title, error } = JSON.parse(await bodyOf(request));
      reports.emit(title, error);
      response.end();
    } else if (request.url === '/paraview/') await launcher(request, response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  return {
    url,
    launcher: `${url}paraview/`,
    /** Emits the outcome of each case of the page `all`, by its title. */
    reports,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bodyOf(request) {
  let body = '';
  for await (const text of request) body += text;
  return body;
}

function launcherThatIsBusyFirst() {
  let asked = 0;
  return async (request, response) => {
    const { application, url } = JSON.parse(await bodyOf(request));
    const answer = (status, content) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    if (application === 'none') answer(200, { error: 'no such application' });
    else if (request.headers['x-busy'] && asked++ % 2 === 0) answer(503, { error: 'busy' });
    else answer(200, { id: 'process-1', sessionURL: url, secret: 'wslink-secret' });
  };
}
