// Two people use the page of the `room` example, while one of them loses the connection.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../harness/chromium.js';
import { SCREENSHOTS, WINDOWS, connected, press, usePage } from '../harness/example-page.js';
import { Proxy } from '../harness/proxy.js';
import { startServer } from '../harness/server.js';

const WWW = fileURLToPath(new URL('../../examples/room/www', import.meta.url));

let browser;
let server;
let proxy;
before(async () => {
  browser = await launchChromium();
  server = await startServer('room', ['--content', WWW]);
  proxy = await Proxy.to(server.url);
});
after(async () => {
  await browser?.close();
  proxy?.stop();
  await server?.stop();
});

const withPage = (url, use, options) =>
  usePage(
    browser,
    url,
    async (page) => {
      await connected(page);
      await use(page);
    },
    { viewport: WINDOWS.desktop, ...options },
  );

async function enter(page, name) {
  await page.getByLabel('Your name').fill(name);
  await press(page, 'Enter');
}

const people = (page) => page.locator('#people li').allTextContents();
const seen = (page, names) =>
  page.waitForFunction(
    (expected) => [...document.querySelectorAll('#people li')].map((item) => item.textContent).sort().join() === expected,
    names.toSorted().join(),
  );

describe('the page of room', { timeout: 60_000 }, () => {
  test('shows who comes, who types, what is said, and who goes', () =>
    withPage(server.url, async (ada) => {
      await enter(ada, 'Ada');
      await seen(ada, ['Ada (you)']);
      await withPage(server.url, async (bob) => {
        await seen(ada, ['Ada (you)', 'somebody who watches']);
        await enter(bob, 'Ada');
        await bob.getByRole('alert').filter({ hasText: 'no other person has it' }).waitFor();
        await enter(bob, 'Bob');
        await seen(ada, ['Ada (you)', 'Bob']);
        await seen(bob, ['Ada', 'Bob (you)']);
        await bob.getByLabel('Message').pressSequentially('Hello!');
        await ada.getByText('Bob is typing…').waitFor();
        await press(bob, 'Say');
        await ada.locator('#lines li', { hasText: 'Hello!' }).waitFor();
        await ada.waitForFunction(() => document.querySelector('#typing').textContent === '');
        assert.equal(await bob.locator('#lines li.mine', { hasText: 'Hello!' }).count(), 1);
        await ada.getByLabel('Message').fill('Welcome. How is the weather over there?');
        await press(ada, 'Say');
        await bob.locator('#lines li', { hasText: 'Welcome.' }).waitFor();
        for (const [name, size] of Object.entries(WINDOWS)) {
          await bob.setViewportSize(size);
          await bob.screenshot({ path: `${SCREENSHOTS}/room-${name}.png` });
        }
      });
      await seen(ada, ['Ada (you)']);
    }));

  test('nobody seems to leave while a connection is lost for a moment', () =>
    withPage(proxy.url, async (carol) => {
      await enter(carol, 'Carol');
      await withPage(server.url, async (watcher) => {
        await seen(watcher, ['Carol', 'somebody who watches (you)']);
        await watcher.evaluate(() => {
          window.lists = [];
          const list = document.querySelector('#people');
          new MutationObserver(() => window.lists.push(list.textContent)).observe(list, { childList: true });
        });
        proxy.cut();
        await connected(carol);
        await carol.getByLabel('Message').fill('Still here');
        await press(carol, 'Say');
        await watcher.locator('#lines li', { hasText: 'Still here' }).waitFor();
        const without = (await watcher.evaluate(() => window.lists)).filter((text) => !text.includes('Carol'));
        assert.deepEqual(without, []);
        assert.deepEqual((await people(watcher)).toSorted(), ['Carol', 'somebody who watches (you)']);
      });
    }));
});
