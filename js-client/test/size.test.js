// Keeps what a page downloads small: bundled, minified and compressed, with everything that it needs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const KIB = 1024;
const FRAMEWORKS = ['react', 'vue'];
const CONNECT = "export { connect } from 'wslink-client'";
const BUDGETS = [
  { what: 'connect', source: CONNECT, kib: 11 },
  { what: 'connect, besides MessagePack', source: CONNECT, kib: 9, without: /wire\/(pack|unpack|utf8)\.js$/ },
  { what: 'both protocol versions', source: "export { connect, v1 } from 'wslink-client'", kib: 12 },
  { what: 'the drop-in', source: "export * from 'wslink-client/stock'", kib: 12.3 },
  {
    what: 'a generated client and connect',
    source: `${CONNECT}; export * from 'wslink-client/typed'`,
    kib: 11.1,
  },
  { what: 'the hooks for React and connect', source: `${CONNECT}; export * from 'wslink-client/react'`, kib: 11.6 },
  {
    what: 'everything',
    source:
      "export * from 'wslink-client'; export * from 'wslink-client/typed'; export * as a from 'wslink-client/stock'; export * as b from 'wslink-client/stock-v1'",
    kib: 14,
  },
  { what: 'the errors', source: "export { CallError } from 'wslink-client'", kib: 1 },
];

async function bundled(source, without) {
  const leftOut = {
    name: 'left out',
    setup: ({ onLoad }) =>
      without &&
      onLoad({ filter: without }, () => ({
        contents: 'const f = 0; export { f as pack, f as reader, f as bytesOf }',
      })),
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    metafile: true,
    external: FRAMEWORKS,
    plugins: [leftOut],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  return { gzip: gzipSync(outputFiles[0].contents, { level: 9 }).length, inputs };
}

for (const { what, source, kib, without } of BUDGETS) {
  test(`${what} in ${kib} KiB`, async () => {
    const { gzip } = await bundled(source, without);
    console.log(`${what}: ${(gzip / KIB).toFixed(2)} KiB min+gzip of ${kib}`);
    assert.ok(gzip <= kib * KIB);
  });
}

test('what each part of connect costs', async () => {
  const { inputs } = await bundled(CONNECT);
  const parts = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const all = parts.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  for (const [file, { bytesInOutput }] of parts.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)) {
    console.log(`${file.replace(/^.*dist\//, '')}: ${((100 * bytesInOutput) / all).toFixed(0)} %`);
  }
  assert.equal(
    parts.some(([file]) => file.includes('node_modules')),
    false,
    'it has no dependencies',
  );
});
