// Compiles and loads generated clients inside the package, which they import by name.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const TSCONFIG = {
  extends: '../../tsconfig.json',
  compilerOptions: { noEmit: true, declaration: false, declarationMap: false, stripInternal: false, rootDir: '../..' },
  include: ['.'],
  exclude: [],
};

/** The oldest and the newest compiler that users may have. */
export const compilers = { 5.4: 'typescript-5.4', newest: 'typescript' };

/** What a compiler says to a project: nothing, if all is well. */
export function complaintsOf(compiler, project) {
  const tsc = join(PACKAGE, 'node_modules', compiler, 'bin/tsc');
  return spawnSync(process.execPath, [tsc, '-p', project], { cwd: PACKAGE, encoding: 'utf8', maxBuffer: 1 << 26 })
    .stdout;
}

/** What the newest compiler says. */
export const complaints = (project) => complaintsOf(compilers.newest, project);

/** Gives the module and the compiler's complaints to `use`. */
export async function withGenerated(source, use) {
  const folder = await mkdtemp(join(PACKAGE, 'test/built-'));
  try {
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await writeFile(join(folder, 'api.ts'), source);
    const file = join(folder, 'api.js');
    await writeFile(file, (await transform(source, { loader: 'ts', format: 'esm' })).code);
    return await use(await import(file), complaints(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}
