// Uses the page of the `render` example as a person would, with either client, and keeps screenshots of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../harness/chromium.js';
import { SCREENSHOTS, WINDOWS, connected, press, usePage } from '../harness/example-page.js';
import { Proxy } from '../harness/proxy.js';
import { startServer } from '../harness/server.js';

const WWW = fileURLToPath(new URL('../../examples/render/www/dist', import.meta.url));

const start = () => startServer('render', ['--content', WWW]);

let browser;
let server;
let proxy;
before(async () => {
  browser = await launchChromium();
  server = await start();
  proxy = await Proxy.to(server.url);
});
after(async () => {
  await browser?.close();
  proxy?.stop();
  await server?.stop();
});

// Uses the page once it has its first picture.
const withPage = (client, use, options) =>
  usePage(
    browser,
    `${proxy.url}?client=${client}`,
    async (page) => {
      await connected(page);
      await pictureAfter(page, null);
      await use(page);
    },
    { viewport: { width: 640, height: 560 }, ...options },
  );

const pictureSize = (page) => page.locator('#picture').textContent();

// The picture that is shown once it is another than `before`, as a number that stands for its pixels.
async function pictureAfter(page, before) {
  const shown = await page.waitForFunction((old) => {
    const image = document.querySelector('#view img');
    if (!image?.complete || image.naturalWidth === 0) return null;
    const canvas = new OffscreenCanvas(64, 64);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, 64, 64);
    const hash = context.getImageData(0, 0, 64, 64).data.reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7);
    return hash === old ? null : hash + 1e-9;
  }, before);
  return Math.trunc(await shown.jsonValue());
}

// What is shown once the picture has the size that the page's element has.
async function settled(page) {
  await page.waitForFunction(() => {
    const { width, height } = document.querySelector('#view').getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 2);
    const full = [width, height].map((length) => Math.trunc(Math.fround(length * ratio))).join(' × ');
    return document.querySelector('#picture').textContent === full;
  });
  return pictureAfter(page, null);
}

// vtk.js passes over a move that comes within 33 ms of the last one, so the mouse goes on until the picture follows it.
let moves = 0;
async function movedUntilItFollows(page, before, [x, y]) {
  let follows = false;
  const after = pictureAfter(page, before).finally(() => {
    follows = true;
  });
  while (!follows) {
    moves += 1;
    await page.mouse.move(x + 120 * Math.sin(moves / 9), y + 20 * Math.cos(moves / 9));
  }
  return after;
}

// How high the view is when the page tells `text`.
const heightOfView = (page, text) =>
  page.evaluate((told) => {
    for (const place of document.querySelectorAll('#state span, #work')) place.textContent = told;
    return document.querySelector('#view').getBoundingClientRect().height;
  }, text);

async function middle(page) {
  const { x, y, width, height } = await page.locator('#view').boundingBox();
  return [x + width / 2, y + height / 2];
}

for (const client of ['ours', 'stock']) {
  describe(
    `the page of render with ${client === 'ours' ? 'our client' : 'the stock client'}`,
    { timeout: 120_000 },
    () => {
      test('turns while it is dragged', () =>
        withPage(client, async (page) => {
          const first = await settled(page);
          const [x, y] = await middle(page);
          await page.mouse.move(x, y);
          await page.mouse.down();
          let last = first;
          const begin = Date.now();
          const frames = 12;
          for (let frame = 0; frame < frames; frame += 1) last = await movedUntilItFollows(page, last, [x, y]);
          const seconds = (Date.now() - begin) / 1000;
          const { delays, bytes } = await page.evaluate(() => ({
            delays: window.meter.takeDelays(),
            bytes: document.querySelector('#work').textContent,
          }));
          await page.mouse.up();
          assert.notEqual(await settled(page), first);
          delays.sort((a, b) => a - b);
          const median = delays[delays.length >> 1]?.toFixed(0);
          console.log(
            `${client}: ${(frames / seconds).toFixed(1)} frames per s; ${bytes}; mouse to picture ${median} ms`,
          );
        }));

      test('zooms with the wheel', () =>
        withPage(client, async (page) => {
          const first = await settled(page);
          await page.mouse.move(...(await middle(page)));
          await page.mouse.wheel(0, -240);
          const nearer = await pictureAfter(page, first);
          assert.notEqual(await pictureAfter(page, null), first);
          await press(page, 'Reset');
          await pictureAfter(page, nearer);
        }));

      test('takes the size of its window', () =>
        withPage(client, async (page) => {
          await settled(page);
          const before = await pictureSize(page);
          await page.setViewportSize({ width: 500, height: 700 });
          await settled(page);
          assert.notEqual(await pictureSize(page), before);
        }));

      test('turns by itself, and with the keyboard', () =>
        withPage(client, async (page) => {
          let last = await settled(page);
          await page.locator('#view').focus();
          await page.keyboard.press('ArrowRight');
          last = await pictureAfter(page, last);
          await page.keyboard.press('Space');
          for (let count = 0; count < 3; count += 1) last = await pictureAfter(page, last);
          await press(page, 'Spin');
          assert.equal(await page.locator('#spin').getAttribute('aria-pressed'), 'false');
        }));

      test('goes on when the server was started anew', () =>
        withPage(
          client,
          async (page) => {
            await settled(page);
            await server.stop();
            await page
              .getByText('Disconnected', { exact: true })
              .or(page.getByText('Connecting', { exact: true }))
              .waitFor();
            server = await start();
            proxy.lead(server.url);
            await connected(page);
            const first = await settled(page);
            const [x, y] = await middle(page);
            await page.mouse.move(x, y);
            await page.mouse.down();
            await page.mouse.move(x + 90, y);
            await pictureAfter(page, first);
            await page.mouse.up();
          },
          { foretold: [/WebSocket connection to/, /^Connection error/] },
        ));
    },
  );
}

for (const [window, viewport] of Object.entries(WINDOWS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the page of render fits a ${window} in ${colorScheme} colours`, { timeout: 60_000 }, () =>
      withPage(
        'ours',
        async (page) => {
          await settled(page);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
          await page.screenshot({ path: `${SCREENSHOTS}/render-${window}-${colorScheme}.png` });
          const [short, long] = [await heightOfView(page, '-'), await heightOfView(page, 'a long text '.repeat(20))];
          assert.equal(short, long, 'what the page tells changes the size of the view');
        },
        { viewport, colorScheme },
      ),
    );
  }
}
