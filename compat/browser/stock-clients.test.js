// Runs the matrix with both stock clients in Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../harness/chromium.js';
import { servePages } from '../harness/pages.js';
import { startServer } from '../harness/server.js';
import { CASES, PROTOCOLS } from '../matrix/index.js';

let browser;
let pages;
before(async () => {
  browser = await launchChromium();
  pages = await servePages();
});
after(async () => {
  await browser?.close();
  pages?.stop();
});

for (const [name, cases] of Object.entries(CASES)) {
  describe(`${name} in Chromium`, () => {
    let server;
    let page;
    before(async () => {
      server = await startServer(name);
      page = await browser.newPage();
      await page.goto(pages.matrixUrl);
      await page.waitForFunction(() => 'runCase' in window);
    });
    after(async () => {
      await page?.close();
      await server?.stop();
    });

    for (const protocol of PROTOCOLS) {
      for (const title of Object.keys(cases)) {
        test(`${protocol} ${title}`, { timeout: 120_000 }, async () => {
          const options = { server: name, name: title, protocol, url: server.socketUrl };
          const failure = await page.evaluate((given) => window.runCase(given), options);
          assert.equal(failure, null);
        });
      }
    }
  });
}
