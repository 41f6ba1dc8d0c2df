// Serves the page of the browser tests, bundled, and a launcher beside it.
import { build } from 'esbuild';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>wslink-client</title><script type="module" src="page.js"></script>';

export async function startSite() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  const script = outputFiles[0].text;
  const launcher = launcherThatIsBusyFirst();
  const server = createServer(async (request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (request.url === '/paraview/') await launcher(request, response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  return {
    url,
    launcher: `${url}paraview/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function launcherThatIsBusyFirst() {
  let asked = 0;
  return async (request, response) => {
    let body = '';
    for await (const text of request) body += text;
    const { application, url } = JSON.parse(body);
    const answer = (status, content) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    if (application === 'none') answer(200, { error: 'no such application' });
    else if (request.headers['x-busy'] && asked++ % 2 === 0) answer(503, { error: 'busy' });
    else answer(200, { id: 'process-1', sessionURL: url, secret: 'wslink-secret' });
  };
}
