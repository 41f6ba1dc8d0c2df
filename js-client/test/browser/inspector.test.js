// The inspector, used as a person would, beside a client that it is to show.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from 'wslink-client';
import '../harness/node-websocket.js';
import { scriptedServer } from '../harness/scripted-server.js';
import { startRust } from '../harness/servers.js';
import { launchChromium } from './chromium.js';

const SECRET = 'of the test';
const SCREENSHOTS = fileURLToPath(new URL('../../screenshots', import.meta.url));
const WINDOWS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

describe('the inspector', { timeout: 120_000 }, () => {
  let browser;
  let simple;
  let kit;
  before(async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    // The examples have a secret of their own, which everybody knows.
    [simple, kit] = await Promise.all(
      ['simple', 'kit'].map((name) => startRust(name, ['--inspector', '--authKey', SECRET])),
    );
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await Promise.all([simple, kit].map((server) => server?.stop()));
  });

  /** Opens a page of it, and at the end finds that the browser complained about nothing. */
  async function withPage({ port, path = '' }, hash, use, options = {}) {
    const page = await browser.newPage(options);
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${port}${path}/_wslink?secret=${encodeURIComponent(SECRET)}${hash}`);
    await page.getByText('connected', { exact: true }).waitFor();
    await use(page);
    await page.close();
    assert.deepEqual(complaints, []);
  }

  const shows = (page, text) => page.getByText(text).first().waitFor();

  test('asks for the secret, and forgets a wrong one', async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${simple.port}/_wslink?secret=wrong`);
    await shows(page, 'The server refused this secret.');
    assert.equal(page.url(), `http://127.0.0.1:${simple.port}/_wslink`, 'no secret stays in the address');
    await page.getByLabel('Secret of the server').fill(SECRET);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.close();
  });

  test('calls a method by its form, and shows the picture that comes back', () =>
    withPage(simple, '', async (page) => {
      await page.getByLabel('Search methods and topics').fill('picture itself');
      await page.getByRole('navigation').getByRole('link', { name: 'myprotocol.unwrapped.image' }).click();
      await page.getByLabel('alt').selectOption('true');
      await page.getByRole('button', { name: 'Call', exact: true }).click();
      await page.waitForFunction(() => document.querySelector('.output img')?.naturalWidth > 0);
      const download = page.waitForEvent('download');
      await page.getByRole('link', { name: 'Download' }).click();
      assert.equal((await download).suggestedFilename(), 'binary-1.png');
    }));

  test('sends numbers, files and JSON, shows bytes, and errors with their type', () =>
    withPage(kit, '#method/kit.blob', async (page) => {
      const call = () => page.getByRole('button', { name: 'Call', exact: true }).click();
      await call();
      await shows(page, 'size is missing');
      await page.getByLabel('size').fill('20');
      await page.getByLabel('seed').fill('1');
      await call();
      await shows(page, /^000000 {2}01 20 3f 5e/);

      await page.goto(`${page.url().split('#')[0]}#method/kit.blob.info`);
      const file = { name: 'data.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(123, 7) };
      await page.getByLabel('data').setInputFiles(file);
      await call();
      await shows(page, '"length": 123');

      await page.goto(`${page.url().split('#')[0]}#method/kit.echo`);
      await page.getByLabel('Arguments', { exact: false }).first().fill('[1, {"deep": [true]}]');
      await page.keyboard.press('Tab');
      await call();
      await shows(page, '"deep"');

      await page.goto(`${page.url().split('#')[0]}#method/kit.raise`);
      await page.getByLabel('message').fill('as foretold');
      await call();
      await page.getByRole('alert').getByText('(-32001)').waitFor();
      await shows(page, 'as foretold');
    }));

  test('cancels a call', () =>
    withPage(kit, '#method/kit.hang', async (page) => {
      await page.getByRole('button', { name: 'Call', exact: true }).click();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await shows(page, 'cancelled here');
    }));

  test('shows events and their rate, another client, and what it costs', async (context) => {
    const client = connect(kit.url, { secret: SECRET });
    context.after(() => client.close());
    await client.ready;
    await withPage(kit, '#', async (page) => {
      await page.getByLabel('Another topic').fill('weather.report');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Subscribe' }).click();
      // Not the "Not subscribed." from before: what is published then is not heard.
      await page.getByText('Subscribed.', { exact: true }).waitFor();
      await client.call('kit.publish', ['weather.report', { wind: 7 }, 500]);
      await shows(page, '"wind": 7');
      // The rate itself is shown for a second, the highest one for a minute.
      await page
        .locator('.chart span')
        .filter({ hasText: /^most [1-9]/ })
        .waitFor();
      await page.getByRole('link', { name: 'Overview' }).click();
      const row = page.getByRole('row').filter({ hasText: client.clientId.slice(0, 9) });
      await row.getByText('v2').waitFor();
      await page.getByRole('row').filter({ hasText: 'kit.publish' }).waitFor();
      const connections = page.locator('.chart').filter({ hasText: 'Connections' }).locator('b');
      await connections.filter({ hasText: /^2$/ }).waitFor();
      await client.close();
      await row.waitFor({ state: 'detached' });
      await connections.filter({ hasText: /^1$/ }).waitFor();
      await page.getByRole('link', { name: 'Messages' }).click();
      await shows(page, 'weather.report');
    });
  });

  test('shows topics of any name, and tells where it is', () =>
    withPage(kit, '#topic/100%', async (page) => {
      await page.getByRole('heading', { name: '100%' }).waitFor();
      for (const name of ['50% off/all', 'a#b?c', '%E4%', 'ünï 東京']) {
        await page.getByLabel('Another topic').fill(name);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name }).waitFor();
        assert.equal((await page.title()).startsWith(`${name} – `), true);
        assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
      }
      await page.getByRole('link', { name: 'Messages' }).click();
      assert.match(await page.title(), /^Messages – /);
    }));

  test('asks for the secret of a server that has started anew with another one', async () => {
    const first = await startRust('kit', ['--inspector', '--authKey', 'first']);
    const proxy = await proxyTo(first.port, '');
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${proxy.port}/_wslink?secret=first`);
      await page.getByText('connected', { exact: true }).waitFor();
      const second = await startRust('kit', ['--inspector', '--authKey', 'second']);
      proxy.passTo(second.port);
      await first.stop();
      await shows(page, 'The server refused this secret.');
      await page.getByLabel('Secret of the server').fill('second');
      await page.keyboard.press('Enter');
      await page.getByText('connected', { exact: true }).waitFor();
      await second.stop();
    } finally {
      await page.close();
      proxy.stop();
      await first.stop();
    }
  });

  test('keeps the secret when something else fails', async () => {
    const scripted = await scriptedServer();
    const proxy = await proxyTo(kit.port, '', Number(new URL(scripted.url).port));
    const page = await browser.newPage();
    try {
      await page.goto(`http://127.0.0.1:${proxy.port}/_wslink?secret=kept`);
      let peer = await scripted.accept();
      await peer.greet();
      const { id } = await peer.next('wslink.inspector.manifest');
      peer.send({ id, error: { code: -32001, message: 'not now' } });
      await shows(page, /not now/);
      await page.reload();
      peer = await scripted.accept();
      assert.equal((await peer.greet()).secret, 'kept');
    } finally {
      await page.close();
      proxy.stop();
      scripted.stop();
    }
  });

  test('works below any path', async () => {
    const proxy = await proxyTo(simple.port, '/apps/viewer');
    try {
      await withPage({ port: proxy.port, path: '/apps/viewer' }, '', (page) => page.getByText('this page').waitFor());
    } finally {
      proxy.stop();
    }
  });

  test('is not served where other machines listen, unless that is asked for', () => {
    const start = (...more) =>
      spawnSync(process.env.SIMPLE_BIN, ['--host', '0.0.0.0', '--port', '0', '--timeout', '0.1', ...more], {
        encoding: 'utf8',
      });
    const refused = start('--inspector');
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stderr, /--inspector=anywhere/);
    assert.equal(start('--inspector=anywhere').status, 0);
  });

  for (const [window, viewport] of Object.entries(WINDOWS)) {
    for (const colorScheme of ['light', 'dark']) {
      test(`fits a ${window} in ${colorScheme} colours`, () =>
        withPage(
          simple,
          '',
          async (page) => {
            const fits = async (what) => {
              const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
              assert.ok(over <= 0, `${what} is ${over} pixels too wide`);
              await page.screenshot({ path: `${SCREENSHOTS}/inspector-${what}-${window}-${colorScheme}.png` });
            };
            await page.locator('.chart b').filter({ hasText: /\d/ }).first().waitFor();
            await fits('overview');
            if (window === 'phone') await page.getByRole('link', { name: 'Methods' }).click();
            await page.getByRole('navigation').getByRole('link', { name: 'myprotocol.image' }).click();
            await page.getByRole('button', { name: 'Call', exact: true }).click();
            await page.waitForFunction(() => document.querySelector('.output img')?.naturalWidth > 0);
            await fits('method');
          },
          { viewport, colorScheme },
        ));
    }
  }
});

/** A server that passes on what is below `path`, without it. */
async function proxyTo(target, path, socketTarget = target) {
  let [pages, sockets] = [target, socketTarget];
  const ask = ({ method, url, headers }) => {
    if (!url.startsWith(`${path}/`)) return undefined;
    const port = headers.upgrade ? sockets : pages;
    return request({ host: '127.0.0.1', port, method, path: url.slice(path.length), headers });
  };
  const server = createServer((incoming, outgoing) => {
    const asked = ask(incoming);
    if (!asked) return outgoing.writeHead(404).end();
    asked.on('response', (answer) => answer.pipe(outgoing.writeHead(answer.statusCode, answer.headers))).end();
    asked.on('error', () => outgoing.destroy());
  });
  server.on('upgrade', (incoming, socket) => {
    const asked = ask(incoming);
    if (!asked) return socket.destroy();
    asked.on('error', () => socket.destroy());
    asked.end();
    asked.on('upgrade', ({ rawHeaders }, other) => {
      const headers = rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`);
      socket.pipe(other).pipe(socket);
      for (const end of [socket, other]) end.on('error', () => [socket, other].forEach((each) => each.destroy()));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: server.address().port,
    passTo(port) {
      pages = sockets = port;
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
