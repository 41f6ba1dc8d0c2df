// Starts the repository's servers and stock Python servers, each on a free port.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pythonWith } from './python.js';

const PYTHON_SERVER = fileURLToPath(new URL('python_server.py', import.meta.url));

/** `name` is `simple`, `chat` or `kit`; the path of its program comes from the environment. */
export function startRust(name, args = []) {
  const variable = `${name.toUpperCase()}_BIN`;
  const program = process.env[variable];
  if (!program) throw new Error(`${variable} is not set: build the server and set it to the path of the program`);
  return start(program, ['--host', '127.0.0.1', '--timeout', '0', ...args]);
}

/** `version` is one of the npm and PyPI package `wslink`; undefined if this machine has no Python. */
export async function startPython(version) {
  const python = await pythonWith(version);
  return python && start(python, [PYTHON_SERVER, '--host', '127.0.0.1', '--timeout', '0']);
}

async function start(program, args) {
  const child = spawn(program, [...args, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  const port = await readyAt(child);
  return {
    port,
    url: `ws://127.0.0.1:${port}/ws`,
    async stop() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** The port that it says, once it is ready. */
function readyAt(child) {
  return new Promise((resolve, reject) => {
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      // Some servers end no line after this.
      stream.setEncoding('utf8').on('data', (text) => {
        log = (log + text).slice(-4000);
        const port = /^wslink: listening on http:\/\/[\d.]+:(\d+)/m.exec(log)?.[1];
        if (port && log.includes('wslink: Starting factory')) resolve(Number(port));
      });
    }
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the server ended with ${code} before it was ready\n${log}`)));
  });
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
