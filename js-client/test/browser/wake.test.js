// What only a page has: it is hidden and shown, loses its network, and has workers without a document.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { scriptedServer } from '../harness/scripted-server.js';
import { startRust } from '../harness/servers.js';
import { launchChromium } from './chromium.js';
import { startSite } from './site.js';

/** The session waits for as long as nothing wakes it. */
const NEVER = { initialDelay: 2 ** 40, maxDelay: 2 ** 41 };

describe('a page', { timeout: 60_000 }, () => {
  let browser;
  let site;
  let server;
  let page;
  before(async () => {
    [browser, site] = await Promise.all([launchChromium(), startSite()]);
  });
  after(async () => {
    await browser?.close();
    site?.stop();
  });
  beforeEach(async () => {
    [server, page] = await Promise.all([scriptedServer(), browser.newPage()]);
    await page.goto(site.url);
    await page.waitForFunction(() => 'connect' in window);
  });
  afterEach(async () => {
    await page.close();
    server.stop();
  });

  async function openSession() {
    await page.evaluate(
      ([url, reconnect]) => {
        window.session = window.connect(url, { reconnect });
      },
      [server.url, NEVER],
    );
    const peer = await server.accept();
    await peer.greet();
    await page.waitForFunction(() => window.session.state.status === 'connected');
    return peer;
  }

  const EVENTS = {
    online: () => window.dispatchEvent(new Event('online')),
    pageshow: () => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
    'visibilitychange to visible': () => document.dispatchEvent(new Event('visibilitychange')),
    'resume after freeze': () => document.dispatchEvent(new Event('resume')),
  };
  for (const [name, dispatch] of Object.entries(EVENTS)) {
    test(`${name}: a session that waits connects at once, one that is connected asks the server`, async () => {
      let peer = await openSession();
      await page.evaluate(dispatch);
      peer.reply(await peer.next('wslink.cancel'), false);
      peer.drop();
      await page.waitForFunction(() => window.session.state.status === 'waiting');
      await page.evaluate(dispatch);
      peer = await server.accept();
      await peer.greet();
      await page.waitForFunction(() => window.session.state.status === 'connected');
    });
  }

  test('without a network waits, and goes on with the network', async () => {
    let peer = await openSession();
    peer.drop();
    await page.waitForFunction(() => window.session.state.status === 'waiting');
    await page.context().setOffline(true);
    await page.context().setOffline(false);
    peer = await server.accept();
    await peer.greet();
    await page.waitForFunction(() => window.session.state.status === 'connected');
  });

  test('asks nothing when it is shown for the first time', async () => {
    const peer = await openSession();
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false })));
    const call = page.evaluate(() => window.session.call('work'));
    peer.reply(await peer.next('work'), 1);
    assert.equal(await call, 1);
  });

  test('hears nothing any more after its session was closed', async () => {
    await openSession();
    await page.evaluate(() => window.session.close());
    await page.evaluate(EVENTS.online);
    assert.equal(await page.evaluate(() => window.session.state.status), 'closed');
  });

  test('has workers with sessions of their own', async () => {
    const kit = await startRust('kit');
    try {
      const told = await page.evaluate((url) => {
        const worker = new Worker('worker.js', { type: 'module' });
        worker.postMessage(url);
        return new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => reject(new Error(message));
        });
      }, kit.url);
      assert.deepEqual(told, { url: `${site.url.replace('http', 'ws')}ws`, args: ['from a worker'] });
    } finally {
      await kit.stop();
    }
  });
});
