// Runs the cases in Chromium: this client with every server, and the drop-ins beside the classes they stand in for.
import { after, before, describe, test } from 'node:test';
import { CASES } from '../cases/index.js';
import { stock } from '../cases/stock.js';
import { recordedTitles } from '../harness/recorded.js';
import { startPython, startRust } from '../harness/servers.js';
import { launchChromium } from './chromium.js';
import { startSite } from './site.js';

const SERVERS = [
  { name: 'the Rust server', wire: 'v1', start: () => startRust('kit') },
  { name: 'the Rust server', wire: 'v2', start: () => startRust('kit') },
  { name: 'Python 1.12.4', wire: 'v1', start: () => startPython('1.12.4') },
  { name: 'Python 2.6.0', wire: 'v2', start: () => startPython('2.6.0') },
];

/** What the stock classes do not do. */
const UNKNOWN = { npmV1: ['a launcher that is busy at first'] };

let browser;
let site;
before(async () => {
  [browser, site] = await Promise.all([launchChromium(), startSite()]);
});
after(async () => {
  await browser?.close();
  site?.stop();
});

async function newPage() {
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => 'runStock' in window);
  return page;
}

for (const { name, wire, start } of SERVERS) {
  describe(`${wire} with ${name}, in Chromium`, () => {
    let server;
    let page;
    before(async () => {
      [server, page] = [await start(), await newPage()];
    });
    after(async () => {
      await page?.close();
      await server?.stop();
    });

    for (const title of Object.keys(CASES)) {
      test(title, { timeout: 60_000 }, async (context) => {
        if (server)
          await page.evaluate(([which, given]) => window.runCase(which, given), [title, { url: server.url, wire }]);
        else context.skip('there is no Python');
      });
    }
  });
}

for (const wire of ['v1', 'v2']) {
  const titles = await recordedTitles(wire);
  describe(`conformance, ${wire}, in Chromium`, () => {
    let page;
    before(async () => {
      page = await newPage();
    });
    after(() => page?.close());
    for (const title of titles) {
      test(title, { timeout: 60_000 }, () =>
        page.evaluate(([which, given]) => window.replayCase(which, given), [wire, title]),
      );
    }
  });
}

for (const classes of ['npmV1', 'stockV1', 'npmV2', 'stockV2']) {
  describe(`${classes}, in Chromium`, () => {
    let server;
    let page;
    before(async () => {
      [server, page] = [await startRust('simple'), await newPage()];
    });
    after(async () => {
      await page?.close();
      await server?.stop();
    });

    for (const title of Object.keys(stock).filter((name) => !(UNKNOWN[classes] ?? []).includes(name))) {
      test(title, { timeout: 60_000 }, () =>
        page.evaluate(
          ([which, from, given]) => window.runStock(which, from, given),
          [title, classes, { url: server.url, launcher: site.launcher }],
        ),
      );
    }
  });
}
