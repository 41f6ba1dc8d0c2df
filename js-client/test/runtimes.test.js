// Runs the cases in the other runtimes that this machine has, with the WebSocket that they bring.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CASES } from './cases/index.js';
import { recordedTitles } from './harness/recorded.js';
import { startRust } from './harness/servers.js';

const RUNNER = fileURLToPath(new URL('harness/all.js', import.meta.url));
/** Each by the variable with its path, or by its name on `PATH`. */
const RUNTIMES = {
  deno: {
    variable: 'DENO',
    args: ['run', '--allow-net', '--allow-env', '--allow-read', '--no-prompt', '--node-modules-dir=manual'],
  },
  bun: { variable: 'BUN', args: ['run'] },
  'Node.js 22 or later': { variable: 'NODE_22', args: [] },
};

const titles = {};
for (const wire of ['v1', 'v2']) {
  titles[wire] = (await recordedTitles(wire)).map((title) => `conformance ${title}`);
}

for (const [name, { variable, args }] of Object.entries(RUNTIMES)) {
  const program = process.env[variable] ?? spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim();
  const skip = program ? false : `${variable} is not set, and ${name} not on PATH`;
  describe(`in ${name}`, { skip, timeout: 120_000 }, () => {
    const outcomes = new Map();
    let server;
    before(async () => {
      server = await startRust('kit');
      const servers = ['v1', 'v2'].map((wire) => [server.url, wire]);
      const child = spawn(program, [...args, RUNNER, JSON.stringify(servers)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (text) => (output += text));
      await once(child, 'close');
      for (const line of output.split('\n').filter((text) => text.startsWith('{"wire"'))) {
        const { wire, title, error } = JSON.parse(line);
        outcomes.set(`${wire} ${title}`, error ?? 'passed');
      }
    });
    after(() => server?.stop());

    for (const wire of ['v1', 'v2']) {
      for (const title of [...titles[wire], ...Object.keys(CASES)]) {
        test(`${wire}: ${title}`, () => assert.equal(outcomes.get(`${wire} ${title}`), 'passed'));
      }
    }
  });
}
