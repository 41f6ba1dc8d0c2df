// Measures this client beside the stock one, in turn in the same page of Chromium, and prints a table of medians.
// BENCH_BIN is the server: the program of `examples/bench_server`.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../test/browser/chromium.js';
import { freePort } from '../test/harness/servers.js';

const ROUNDS = 5;
const MIB = 1 << 20;
const WORKLOADS = [
  { name: 'one call at a time', unit: 'µs', scale: 1e3, work: 'call', amount: 200 },
  { name: '64 calls in flight', unit: 'µs/call', scale: 1e3, work: 'calls', amount: 2000 },
  { name: 'result of 1 MiB', unit: 'ms', scale: 1, work: 'blob', amount: MIB },
  { name: 'result of 8 MiB', unit: 'ms', scale: 1, work: 'blob', amount: 8 * MIB },
  { name: 'result of 64 MiB', unit: 'ms', scale: 1, work: 'blob', amount: 64 * MIB },
];

const [server, site, browser] = await Promise.all([startServer(), startSite(), launchChromium()]);
try {
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => 'measure' in window);
  const measure = (client, { work, amount }) =>
    page.evaluate((given) => window.measure(...given), [client, server.url, work, amount]);
  console.log('| workload | unit | wslink 2.5.0 from npm | wslink-client | times faster |');
  console.log('|---|---|---:|---:|---:|');
  for (const workload of WORKLOADS) {
    const rounds = { stock: [], ours: [] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const client of Object.keys(rounds)) rounds[client].push((await measure(client, workload)) * workload.scale);
    }
    const ratio = median(rounds.stock.map((stock, round) => stock / rounds.ours[round]));
    const figures = [median(rounds.stock), median(rounds.ours), ratio].map((value) => value.toPrecision(3));
    console.log(`| ${workload.name} | ${workload.unit} | ${figures.join(' | ')} |`);
  }
} finally {
  await browser.close();
  site.stop();
  server.stop();
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function startServer() {
  const program = process.env.BENCH_BIN;
  if (!program) throw new Error('BENCH_BIN is not set: `cargo xtask bench client` builds the server and sets it');
  const port = await freePort();
  const child = spawn(program, [String(port), '1'], { stdio: 'ignore' });
  child.once('error', (error) => console.error(String(error)));
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (attempt === 200) throw new Error(`${program} does not listen`);
    await pause(50);
  }
  return { url: `ws://127.0.0.1:${port}/ws`, stop: () => child.kill('SIGKILL') };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function startSite() {
  const entry = fileURLToPath(new URL('page.js', import.meta.url));
  const bundle = { bundle: true, write: false, format: 'esm', target: 'es2022' };
  const { outputFiles } = await build({ entryPoints: [entry], ...bundle });
  const files = {
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><script type="module" src="page.js"></script>'],
    '/page.js': ['text/javascript', outputFiles[0].text],
  };
  const server = createHttpServer((request, response) => {
    const [type, content] = files[request.url] ?? [];
    if (content) response.setHeader('content-type', type).end(content);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
