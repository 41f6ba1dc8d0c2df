// Measures the page of `render`: frames, and the delay from the mouse to the picture, with the original server and ours.
//
// Every server is asked by the same page, which is dragged for a while at the rate of a mouse. The original server sends
// pictures that ours has drawn before: once as if it had to draw them, for as long, and once at once, which is the
// connection alone.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../harness/chromium.js';
import { startServer } from '../harness/server.js';
import { recordPictures } from './pictures.js';
import { startPython } from './python.js';

const WWW = fileURLToPath(new URL('../../examples/render/www/dist', import.meta.url));
const SECONDS = Number(process.env.SECONDS ?? 6);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
/** vtk.js sends no more than one event in 33 ms. */
const PERIOD = 36;
const COLUMNS = ['frames per s', 'KiB per s', 'mouse to picture, median ms', '95 %, ms', 'of which drawing, ms'];

const folder = await mkdtemp(join(tmpdir(), 'wslink-render-'));
const browser = await launchChromium();
const ours = await startServer('render', ['--content', WWW]);
const pythons = [];
try {
  const subjects = [
    { name: 'our server, stock client', query: 'client=stock' },
    { name: 'our server, our client', query: 'client=ours' },
  ];
  if (process.env.PYTHON) {
    await recordPictures(ours.socketUrl, folder);
    for (const [name, draws] of [
      ['original server, stock client', true],
      ['the same, nothing to draw', false],
    ]) {
      const python = await startPython(process.env.PYTHON, folder, draws);
      pythons.push(python);
      subjects.push({ name, query: `client=stock&server=${encodeURIComponent(python.socketUrl)}` });
    }
  } else {
    console.log('PYTHON names no Python with the original server: it is left out.');
  }

  const results = subjects.map(() => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { query }] of subjects.entries()) results[index].push(await drag(query));
  }
  console.log(`| ${SECONDS} s of dragging, median of ${ROUNDS} | ${COLUMNS.join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(COLUMNS.length)}`);
  for (const [index, { name }] of subjects.entries()) {
    const cells = COLUMNS.map((_, column) =>
      quantile(
        results[index].map((row) => row[column]),
        0.5,
      ).toFixed(1),
    );
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
} finally {
  for (const python of pythons) await python.stop();
  await ours.stop();
  await browser.close();
  await rm(folder, { recursive: true });
}

// One row of the table: drags a fresh page around in circles.
async function drag(query) {
  const page = await browser.newPage({ viewport: { width: 960, height: 640 } });
  await page.goto(`${ours.url}?${query}`);
  await page.getByText('Connected', { exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector('#view img')?.naturalWidth > 0);
  const { x, y, width, height } = await page.locator('#view').boundingBox();
  const at = (step) => [x + width * (0.5 + 0.2 * Math.sin(step / 20)), y + height * (0.5 + 0.05 * Math.cos(step / 20))];

  await page.mouse.move(...at(0));
  await page.mouse.down();
  const before = await page.evaluate(() => (window.meter.takeDelays(), { ...window.meter.total }));
  const work = [];
  const begin = performance.now();
  for (let step = 1; performance.now() - begin < SECONDS * 1000; step += 1) {
    await page.mouse.move(...at(step));
    if (step % 10 === 0) work.push(Number(/(\d+) ms/.exec(await page.locator('#work').textContent())?.[1]));
    const rest = begin + step * PERIOD - performance.now();
    if (rest > 0) await page.waitForTimeout(rest);
  }
  const seconds = (performance.now() - begin) / 1000;
  const { delays, total } = await page.evaluate(() => ({
    delays: window.meter.takeDelays(),
    total: window.meter.total,
  }));
  await page.mouse.up();
  await page.close();
  return [
    (total.frames - before.frames) / seconds,
    (total.bytes - before.bytes) / 1024 / seconds,
    quantile(delays, 0.5),
    quantile(delays, 0.95),
    quantile(work, 0.5),
  ];
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
