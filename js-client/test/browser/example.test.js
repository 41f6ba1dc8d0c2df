// The Vite project: built as its README says, served by the chat server, and used as a person would.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { complaints } from '../harness/generated.js';
import { startRust } from '../harness/servers.js';
import { launchChromium } from './chromium.js';

const CONFIG = fileURLToPath(new URL('../../example/vite.config.js', import.meta.url));

describe('the Vite project', { timeout: 60_000 }, () => {
  let folder;
  let server;
  let browser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wslink-client-example-'));
    await build({ configFile: CONFIG, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
    server = await startRust('chat', ['--content', folder]);
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  test('pleases the strict compiler', () => {
    assert.equal(complaints('example'), '');
  });

  test('shows what is said, also by the server', async () => {
    const page = await browser.newPage();
    // Among others of what the page's own policy forbids.
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.getByText('The server is connected.').waitFor();
    await page.getByLabel('Message').fill('hello there');
    await page.getByRole('button', { name: 'Say' }).click();
    await page.getByText('py server: hello there').waitFor();
    assert.equal(await page.getByLabel('Message').inputValue(), '');
    assert.deepEqual(complaints, []);
  });
});
