// `node scripts/bundle.js SOURCE OUTPUT`: bundles a module that uses this package, for pages without a bundler.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const [source, output] = process.argv.slice(2);
const built = (file) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

await build({
  entryPoints: [source],
  outfile: output,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  alias: { 'wslink-client/typed': built('typed.js'), 'wslink-client': built('index.js') },
});
