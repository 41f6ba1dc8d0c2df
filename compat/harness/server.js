// Starts one of the repository's servers, on a free port, and ends it.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// `name` is `simple`, `chat`, `render` or `kit`; the path of its program comes from the environment.
export async function startServer(name, args = []) {
  const variable = `${name.toUpperCase()}_BIN`;
  const program = process.env[variable];
  if (!program) throw new Error(`${variable} is not set; \`cargo xtask test js browser\` builds the servers and sets it`);

  const child = spawn(program, ['--host', '127.0.0.1', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('close', resolve));
  const url = await readyUrl(name, child);
  return {
    url,
    socketUrl: `${url.replace(/^http/, 'ws')}ws`,
    // Resolves to the status with which the program ends.
    exited,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

function readyUrl(name, child) {
  return new Promise((resolve, reject) => {
    let url = null;
    let ready = false;
    let log = '';
    // Where it listens is on the standard error, that it does on the standard output.
    createInterface({ input: child.stderr }).on('line', (line) => {
      log = `${log}${line}\n`.slice(-4000);
      url ??= /^wslink: listening on (\S+)$/.exec(line)?.[1];
      if (ready && url) resolve(url);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      url ??= /^wslink: listening on (\S+)$/.exec(line)?.[1];
      ready ||= line === 'wslink: Starting factory';
      if (ready && url) resolve(url);
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`${name} ended with ${code} before it was ready\n${log}`)));
  });
}
