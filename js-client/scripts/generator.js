// Builds the generator's package: one bundle with the part of the client that it needs, and its types.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const GENERATOR = fileURLToPath(new URL('../generator', import.meta.url));
const DIST = join(GENERATOR, 'dist');

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
await build({
  entryPoints: ['cli.ts', 'index.ts'].map((file) => join(GENERATOR, 'src', file)),
  outdir: DIST,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  external: ['ws'],
  logLevel: 'warning',
});

// Of the types only those of the generator itself: nothing of the client is in its interface.
const types = mkdtempSync(join(GENERATOR, 'types-'));
try {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const options = ['-p', GENERATOR, '--noEmit', 'false', '--emitDeclarationOnly', '--outDir', types];
  const { status } = spawnSync(process.execPath, [tsc, ...options], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  for (const file of ['index', 'document', 'source']) {
    copyFileSync(join(types, 'generator/src', `${file}.d.ts`), join(DIST, `${file}.d.ts`));
  }
} finally {
  rmSync(types, { recursive: true });
}
