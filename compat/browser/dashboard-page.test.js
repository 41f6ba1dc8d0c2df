// Uses the page of the `dashboard` example as a person would, while its connection is cut and its server is killed and
// started again, and keeps screenshots of it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../harness/chromium.js';
import { SCREENSHOTS, WINDOWS, connected, press, usePage } from '../harness/example-page.js';
import { Proxy } from '../harness/proxy.js';
import { startServer } from '../harness/server.js';

const WWW = fileURLToPath(new URL('../../examples/dashboard/www', import.meta.url));

const start = () => startServer('dashboard', ['--content', WWW]);

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

const withPage = (use, options) =>
  usePage(
    browser,
    proxy.url,
    async (page) => {
      await connected(page);
      await use(page);
    },
    { viewport: WINDOWS.desktop, ...options },
  );

// The numbers of the log once it has `more` entries more than it had, the oldest first.
async function logAfter(page, more) {
  const had = await page.locator('#log li.entry').count();
  await page.waitForFunction((count) => document.querySelectorAll('#log li.entry').length >= count, had + more);
  return page.locator('#log li').evaluateAll((lines) => lines.map((line) => Number(line.dataset.number)).reverse());
}

const isGapless = (numbers) => numbers.every((number, at) => at === 0 || number === numbers[at - 1] + 1);

describe('the page of dashboard', { timeout: 120_000 }, () => {
  test('shows the machines, and one of them closely', () =>
    withPage(async (page) => {
      await page.getByRole('button', { name: 'fornax' }).waitFor();
      assert.equal(await page.locator('.machine').count(), 6);
      await page.getByRole('button', { name: 'cygnus' }).click();
      await page.locator('#chosen', { hasText: 'cygnus' }).waitFor();
      await page.waitForFunction(() => Number(document.querySelector('#trace').dataset.samples) > 40);
      await logAfter(page, 6);
      for (const [name, size] of Object.entries(WINDOWS)) {
        await page.setViewportSize(size);
        await page.screenshot({ path: `${SCREENSHOTS}/dashboard-${name}.png`, fullPage: true });
      }
    }));

  test('a diagnosis shows how far it is, and can be given up', () =>
    withPage(async (page) => {
      await page.getByRole('button', { name: 'dorado' }).click();
      await press(page, 'Diagnose');
      // As soon as it has come so far: on a busy machine, a mouse on its way to the button may find it at its end.
      await page.waitForFunction(() => {
        const hasBegun = document.querySelector('#progress').value > 0.2;
        if (hasBegun) document.querySelector('#cancel').click();
        return hasBegun;
      });
      await page.getByText('given up', { exact: true }).waitFor();
      await press(page, 'Diagnose');
      await page.screenshot({ path: `${SCREENSHOTS}/dashboard-diagnosis.png` });
      await page.locator('#verdict', { hasText: 'dorado is fine' }).waitFor();
      const finished = page.locator('#log li', { hasText: 'dorado is fine' });
      await finished.waitFor();
      assert.equal(await finished.count(), 1);
    }));

  test('a connection that is cut goes on as if nothing had been', () =>
    withPage(
      async (page) => {
        await logAfter(page, 1);
        for (const times of ['once', '2 times', '3 times']) {
          proxy.cut();
          await page.getByText(`resumed ${times}`, { exact: true }).waitFor();
        }
        const numbers = await logAfter(page, 3);
        assert.equal(isGapless(numbers), true, String(numbers));
        assert.equal(await page.locator('#log li.gap').count(), 0);
        await page.waitForFunction(() => Number(document.querySelector('#trace').dataset.samples) > 10);
      },
      { foretold: [/WebSocket connection to/] },
    ));

  test('a server that is killed and started again is found, and the truth told', () =>
    withPage(
      async (page) => {
        await logAfter(page, 1);
        await server.stop();
        await page.getByText('Reconnecting').waitFor();
        await page.screenshot({ path: `${SCREENSHOTS}/dashboard-reconnecting.png` });
        server = await start();
        proxy.lead(server.url);
        await connected(page);
        await page.getByText('the server has started anew').waitFor();
        await logAfter(page, 2);
        assert.equal(await page.locator('#continuity').isVisible(), false);
      },
      { foretold: [/WebSocket connection to/] },
    ));
});
