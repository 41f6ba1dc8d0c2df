// The adapters in real pages, under a strict policy: each shows states, events and results, and leaves nothing behind.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { compile } from 'svelte/compiler';
import { connect } from 'wslink-client';
import '../harness/node-websocket.js';
import { startRust } from '../harness/servers.js';
import { launchChromium } from './chromium.js';

const POLICY = "default-src 'none'; img-src data:; script-src 'self'; connect-src ws://127.0.0.1:*";
const PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script type="module" src="page.js"></script>';

const svelte = {
  name: 'svelte',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => ({
      contents: compile(await readFile(path, 'utf8'), { filename: path, generate: 'client', css: 'external' }).js.code,
    })),
};

describe('an adapter', { timeout: 60_000 }, () => {
  let browser;
  let kit;
  let site;
  let publisher;
  let page;
  before(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('adapters/index.js', import.meta.url))],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
      conditions: ['browser', 'production'],
      define: {
        'process.env.NODE_ENV': '"development"',
        __VUE_OPTIONS_API__: 'true',
        __VUE_PROD_DEVTOOLS__: 'false',
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
      },
      plugins: [svelte],
    });
    site = createServer((request, response) => {
      response.setHeader('content-security-policy', POLICY);
      if (request.url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
      else response.setHeader('content-type', 'text/javascript').end(outputFiles[0].text);
    });
    await once(site.listen(0, '127.0.0.1'), 'listening');
    [browser, kit] = await Promise.all([launchChromium(), startRust('kit')]);
    publisher = connect(kit.url);
    await publisher.ready;
  });
  after(async () => {
    await publisher?.close();
    await browser?.close();
    await kit?.stop();
    site.closeAllConnections();
    site.close();
  });

  let complaints;
  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
  });
  afterEach(async () => {
    await page.close();
    assert.deepEqual(complaints, []);
  });

  const shows = (id, text) =>
    page
      .locator(`#${id}`)
      .filter({ hasText: new RegExp(`^${text}$`) })
      .waitFor();

  async function open(name) {
    await page.evaluate(([which, url]) => window.open(which, url), [name, kit.url]);
    await shows('state', 'connected');
    await shows('event', 'none');
  }

  /** Until the page shows it: nothing says when the page has subscribed. */
  async function publish(topic, count) {
    const shown = shows('event', count - 1);
    let isShown = false;
    void shown.then(() => (isShown = true));
    while (!isShown) {
      await publisher.call('kit.publish', [topic, 'x', count]);
      await page.waitForTimeout(20);
    }
    await shown;
  }

  for (const name of ['react', 'vue', 'svelte']) {
    test(`${name}: states and events, until it is unmounted`, async () => {
      await open(name);
      await publish('kit.left', 3);
      await publish('kit.left', 7);
      await page.evaluate(() => {
        window.told = 0;
        window.session.subscribe('kit.left', { onEvent: () => (window.told += 1) });
        window.unmount();
      });
      const before = await page.evaluate(() => document.querySelectorAll('output').length);
      assert.equal(before, 0);
      await page.evaluate(() => window.session.call('kit.publish', ['kit.left', 'x', 1]));
      await page.waitForFunction(() => window.told === 1);
      await page.evaluate(() => window.session.close());
    });
  }

  for (const name of ['react', 'vue']) {
    test(`${name}: results and failures of calls`, async () => {
      await open(name);
      await page.locator('#call').click({ force: true });
      await shows('result', 'answer');
      await page.locator('#fail').click({ force: true });
      await shows('result', 'UnsupportedValue');
    });
  }

  test('react: another topic', async () => {
    await open('react');
    await publish('kit.left', 3);
    await page.locator('#other').click({ force: true });
    await shows('event', 'none');
    await publish('kit.right', 5);
  });
});
