// Starts the original server with recorded pictures, which take the time they took to draw or none, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('python_server.py', import.meta.url));

export async function startPython(python, folder, draws) {
  const port = await freePort();
  const args = [SERVER, folder, '--host', '127.0.0.1', '--port', String(port), '--timeout', '0'];
  const child = spawn(python, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DRAWS: draws ? 'yes' : 'no' },
  });
  const closed = once(child, 'close');
  await new Promise((resolve, reject) => {
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        log = (log + text).slice(-4000);
        if (log.includes('wslink: Starting factory')) resolve();
      });
    }
    child.once('close', (code) => reject(new Error(`the original server ended with ${code}\n${log}`)));
  });
  return {
    socketUrl: `ws://127.0.0.1:${port}/ws`,
    async stop() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
