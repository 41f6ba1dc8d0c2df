// What the tests of the examples' pages share: a page that the browser has no complaint about, and pictures of it.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const WINDOWS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
export const SCREENSHOTS = fileURLToPath(new URL('../screenshots', import.meta.url));
await mkdir(SCREENSHOTS, { recursive: true });

// Opens the page, and at the end finds that the browser complained about nothing but what the test foretold.
export async function usePage(browser, url, use, { foretold = [], ...options } = {}) {
  const page = await browser.newPage(options);
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await use(page);
  await page.close();
  assert.deepEqual(
    complaints.filter((text) => !foretold.some((pattern) => pattern.test(text))),
    [],
  );
}

export const connected = (page) => page.getByText('Connected', { exact: true }).waitFor();
export const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
