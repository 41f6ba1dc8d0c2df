// Keeps what a page downloads small: bundled, minified and compressed, with everything that it needs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { build as viteBuild } from 'vite';

const KIB = 1024;
const FRAMEWORKS = ['react', 'vue'];
const CONNECT = "export { connect } from 'wslink-client'";
const BUDGETS = [
  { what: 'connect', source: CONNECT, kib: 9.7 },
  { what: 'connect, besides MessagePack', source: CONNECT, kib: 9, without: /wire\/(pack|unpack|utf8)\.js$/ },
  { what: 'both protocol versions', source: "export { connect, v1 } from 'wslink-client'", kib: 10.9 },
  { what: 'the drop-in', source: "export * from 'wslink-client/stock'", kib: 11.1 },
  { what: 'a generated client and connect', source: `${CONNECT}; export * from 'wslink-client/typed'`, kib: 9.95 },
  { what: 'the hooks for React and connect', source: `${CONNECT}; export * from 'wslink-client/react'`, kib: 10.4 },
  {
    what: 'everything',
    source:
      "export * from 'wslink-client'; export * from 'wslink-client/typed'; export * as a from 'wslink-client/stock'; export * as b from 'wslink-client/stock-v1'",
    kib: 12.75,
  },
  { what: 'the errors', source: "export { CallError } from 'wslink-client'", kib: 1 },
];

const compressed = (code) => gzipSync(code, { level: 9 }).length;

async function bundled(source, loaders = {}) {
  const replaced = {
    name: 'replaced',
    setup({ onLoad }) {
      for (const [filter, contents] of Object.entries(loaders)) onLoad({ filter: new RegExp(filter) }, contents);
    },
  };
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    metafile: true,
    external: FRAMEWORKS,
    plugins: [replaced],
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  return { gzip: compressed(outputFiles[0].contents), inputs };
}

/** Without the code of some modules, whose exports are there. */
async function without(path) {
  const names = [...(await readFile(path, 'utf8')).matchAll(/export (?:const|let|class|function) (\w+)/g)];
  return { contents: `const f = globalThis.f; export { ${names.map(([, name]) => `f as ${name}`).join(', ')} }` };
}

for (const { what, source, kib, without: filter } of BUDGETS) {
  test(`${what} in ${kib} KiB`, async () => {
    const { gzip } = await bundled(source, filter && { [filter.source]: ({ path }) => without(path) });
    console.log(`${what}: ${(gzip / KIB).toFixed(2)} KiB min+gzip of ${kib}`);
    assert.ok(gzip <= kib * KIB);
  });
}

test('connect as Vite builds it', async () => {
  const entry = '\0entry';
  const { output } = await viteBuild({
    configFile: false,
    logLevel: 'silent',
    root: import.meta.dirname,
    plugins: [
      { name: 'entry', resolveId: (id) => (id === entry ? id : null), load: (id) => (id === entry ? CONNECT : null) },
    ],
    build: {
      write: false,
      minify: 'oxc',
      target: 'es2022',
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict' },
    },
  });
  const gzip = compressed(output[0].code);
  console.log(`connect as Vite builds it: ${(gzip / KIB).toFixed(2)} KiB min+gzip of 9.4`);
  assert.ok(gzip <= 9.4 * KIB);
});

test('what each part of connect costs', async () => {
  const { gzip, inputs } = await bundled(CONNECT);
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0 && file.includes('dist/'));
  for (const file of files) {
    const name = file.replace(/^.*dist\//, '');
    const rest = await bundled(CONNECT, { [`dist/${name.replace('.', '\\.')}$`]: ({ path }) => without(path) });
    console.log(`${name}: ${gzip - rest.gzip} bytes less without it`);
  }
  assert.equal(
    Object.keys(inputs).some((file) => file.includes('node_modules')),
    false,
    'it has no dependencies',
  );
});
