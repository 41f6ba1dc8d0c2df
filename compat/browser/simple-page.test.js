// Uses the page of the `simple` example as a person would, with either client, and keeps screenshots of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../harness/chromium.js';
import { SCREENSHOTS, WINDOWS, connected, press, usePage } from '../harness/example-page.js';
import { startServer } from '../harness/server.js';

const WWW = fileURLToPath(new URL('../../examples/simple/www', import.meta.url));

let browser;
let server;
before(async () => {
  browser = await launchChromium();
  server = await startServer('simple', ['--content', WWW]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const withPage = (client, use, { query = '', ...options } = {}) =>
  usePage(browser, `${server.url}?client=${client}${query}`, use, options);

const holds = (page, selector, text) => page.locator(selector).filter({ hasText: text }).waitFor();
const pictureSource = (page) => page.locator('#picture').getAttribute('src');

const pictureShown = (page, before = null) =>
  page.waitForFunction((old) => {
    const picture = document.querySelector('#picture');
    return picture.complete && picture.naturalWidth > 0 && picture.src !== old;
  }, before);

for (const client of ['ours', 'stock']) {
  describe(
    `the page of simple with ${client === 'ours' ? 'our client' : 'the stock client'}`,
    { timeout: 120_000 },
    () => {
      test('calculates', () =>
        withPage(client, async (page) => {
          await connected(page);
          await page.getByLabel('Numbers, separated by commas').fill('2, 3, 4');
          await press(page, 'Add');
          await holds(page, '#result', /^9$/);
          await press(page, 'Multiply');
          await holds(page, '#result', /^24$/);
          await press(page, 'Special values');
          await holds(page, '#result', '[Infinity, NaN, -Infinity]');
          assert.equal(await page.locator('#log li').count(), 3);
        }));

      test('works with the keyboard alone', () =>
        withPage(client, async (page) => {
          await connected(page);
          await page.getByLabel('Numbers, separated by commas').focus();
          await page.keyboard.press('Enter');
          await holds(page, '#result', /^10\.5$/);
          await page.keyboard.press('Tab');
          await page.keyboard.press('Tab');
          await page.keyboard.press('Space');
          await holds(page, '#result', /^27$/);
        }));

      test('shows both images', () =>
        withPage(client, async (page) => {
          await connected(page);
          await press(page, 'Image');
          await pictureShown(page);
          const first = await pictureSource(page);
          await press(page, 'Alternative image');
          await pictureShown(page, first);
        }));

      test('streams and stops', () =>
        withPage(client, async (page) => {
          await connected(page);
          await press(page, 'Start stream');
          await pictureShown(page);
          await pictureShown(page, await pictureSource(page));
          await holds(page, '#frames', /^Frame \d+, \d+ ms after/);
          await press(page, 'Stop stream');
          await holds(page, '#frames', 'stopped');
          await holds(page, '#log', 'unsubscribed');
        }));

      test('uploads a file', () =>
        withPage(client, async (page) => {
          await connected(page);
          const file = { name: 'data.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(123_456, 7) };
          await page.getByLabel('A file to send as binary data').setInputFiles(file);
          await press(page, 'Send');
          await holds(page, '#received', 'received binary data of length 123456');
        }));

      test('shows errors', () =>
        withPage(client, async (page) => {
          await connected(page);
          await press(page, 'Unknown method');
          await holds(page, '#error', '-32601');
          await holds(page, '#error', 'myprotocol.mistake.typo');
          await press(page, 'Bad argument');
          await holds(page, '#error', '-32602');
          await holds(page, '#error', 'topik');
        }));

      test('tells of a wrong secret', () =>
        withPage(
          client,
          async (page) => {
            await page.getByText('Refused', { exact: true }).waitFor();
            await holds(page, '#state', 'Authentication failed (-32000)');
            assert.equal(await page.getByRole('button', { name: 'Add' }).isDisabled(), true);
          },
          { query: '&secret=wrong', foretold: [/^Connection error/] },
        ));

      test('reconnects', () =>
        withPage(client, async (page) => {
          await connected(page);
          await press(page, 'Reconnect');
          await connected(page);
          await press(page, 'Add');
          await holds(page, '#result', /^10\.5$/);
        }));
    },
  );
}

for (const [window, viewport] of Object.entries(WINDOWS)) {
  for (const colorScheme of ['light', 'dark']) {
    test(`fits a ${window} in ${colorScheme} colours`, () =>
      withPage(
        'ours',
        async (page) => {
          await connected(page);
          await press(page, 'Image');
          await pictureShown(page);
          for (const name of ['Add', 'Unknown method', 'Bad argument']) await press(page, name);
          await holds(page, '#error', '-32602');
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
          await page.screenshot({ path: `${SCREENSHOTS}/${window}-${colorScheme}.png`, fullPage: true });
        },
        { viewport, colorScheme },
      ));
  }
}
