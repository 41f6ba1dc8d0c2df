// Builds the inspector's page, the same bytes each time; with a folder, into that one.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(new URL('../inspector', import.meta.url));
/** Inside the crate, which serves them. */
const PAGE = fileURLToPath(new URL('../../wslink/src/http/inspector', import.meta.url));

export const FILES = ['index.html', 'inspector.js', 'style.css'];

export async function buildInspector(folder) {
  mkdirSync(folder, { recursive: true });
  for (const file of ['index.html', 'style.css']) copyFileSync(join(SOURCE, file), join(folder, file));
  await build({
    entryPoints: [join(SOURCE, 'main.ts')],
    outfile: join(folder, 'inspector.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildInspector(process.argv[2] ?? PAGE);
