// Runs the cases in Firefox, with the Rust server in both versions of the protocol.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CASES } from '../cases/index.js';
import { recordedTitles } from '../harness/recorded.js';
import { startRust } from '../harness/servers.js';
import { startSite } from './site.js';

const found = ['firefox-esr', 'firefox'].map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim());
const firefox = process.env.FIREFOX ?? found.find(Boolean);

const TITLES = [];
for (const wire of ['v1', 'v2']) {
  const recorded = (await recordedTitles(wire)).map((title) => `conformance ${title}`);
  TITLES.push(...[...recorded, ...Object.keys(CASES)].map((title) => `${wire} ${title}`));
}

describe(
  'in Firefox',
  { timeout: 240_000, skip: firefox ? false : 'there is no firefox on PATH, and FIREFOX is not set' },
  () => {
    const outcomes = new Map();
    let profile;
    let server;
    let site;
    let browser;
    before(async () => {
      [site, server, profile] = await Promise.all([
        startSite(),
        startRust('kit'),
        mkdtemp(join(tmpdir(), 'wslink-firefox-')),
      ]);
      for (const title of TITLES) outcomes.set(title, once(site.reports, title));
      const servers = ['v1', 'v2'].map((wire) => [server.url, wire]);
      const url = `${site.url}all?servers=${encodeURIComponent(JSON.stringify(servers))}`;
      browser = spawn(firefox, ['--headless', '--no-remote', '--profile', profile, url], { stdio: 'ignore' });
    });
    after(async () => {
      if (browser?.exitCode === null) {
        browser.kill();
        await once(browser, 'exit');
      }
      site?.stop();
      await server?.stop();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });

    for (const title of TITLES) {
      test(title, async () => {
        const [error] = await outcomes.get(title);
        assert.equal(error, undefined);
      });
    }
  },
);
