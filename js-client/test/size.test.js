// Keeps what a page downloads small: bundled, minified and compressed, without MessagePack.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const KIB = 1024;
const BUDGETS = [
  {
    what: 'everything',
    source:
      "export * from 'wslink-client'; export * from 'wslink-client/typed'; export * as a from 'wslink-client/stock'; export * as b from 'wslink-client/stock-v1'",
    kib: 12,
  },
  { what: 'connect', source: "export { connect } from 'wslink-client'", kib: 6 },
  { what: 'the drop-in', source: "export * from 'wslink-client/stock'", kib: 8 },
  { what: 'the errors', source: "export { CallError } from 'wslink-client'", kib: 1 },
];

for (const { what, source, kib } of BUDGETS) {
  test(`${what} in ${kib} KiB`, async () => {
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: import.meta.dirname },
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      external: ['@msgpack/msgpack'],
    });
    const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    console.log(`${what}: ${(size / KIB).toFixed(1)} KiB min+gzip of ${kib}`);
    assert.ok(size <= kib * KIB);
  });
}
