// The packages as users get them: what is in them, and what compilers say to their types.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compilers, complaintsOf } from './harness/generated.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const GENERATOR = join(PACKAGE, 'generator');
const LICENCES = ['LICENSE-APACHE', 'LICENSE-MIT'];

const run = (program, args, cwd = PACKAGE) => {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr + stdout);
  return stdout;
};

describe('an installation', { timeout: 120_000 }, () => {
  let folder;
  const files = {};
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wslink-package-'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    for (const source of [PACKAGE, GENERATOR]) {
      const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], source));
      files[packed.name] = packed.files.map(({ path }) => path);
      const target = join(folder, 'node_modules', packed.name);
      await mkdir(target, { recursive: true });
      run('tar', ['-xzf', join(folder, packed.filename), '-C', target, '--strip-components', '1']);
    }
  });
  after(() => rm(folder, { recursive: true }));

  test('has licences, a README, sources for its source maps, and no tests', async () => {
    for (const [name, paths] of Object.entries(files)) {
      for (const file of [...LICENCES, 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']) {
        assert.equal(paths.includes(file), true, `${name} has no ${file}`);
      }
      assert.deepEqual(
        paths.filter((path) => /test|node_modules|\.tgz/.test(path)),
        [],
      );
    }
    const map = join(folder, 'node_modules/wslink-client/dist/wire/v2.js.map');
    const { sources } = JSON.parse(await readFile(map, 'utf8'));
    await readFile(join(dirname(map), sources[0]));
  });

  test('of the client brings nothing else', async () => {
    const { dependencies, optionalDependencies, bin } = JSON.parse(
      await readFile(join(PACKAGE, 'package.json'), 'utf8'),
    );
    assert.deepEqual([dependencies, optionalDependencies, bin], [undefined, undefined, undefined]);
  });

  test('of the generator works, and its output with that of the client', async () => {
    const cli = join(folder, 'node_modules/wslink-generate/dist/cli.js');
    run(process.execPath, [cli, join(PACKAGE, 'test/generate/render.json'), '-o', 'src/api.ts'], folder);
    await writeFile(
      join(folder, 'src/use.ts'),
      await readFile(join(PACKAGE, 'test/generate/use.ts'), 'utf8').then((text) =>
        text.replace('./render.js', './api.js'),
      ),
    );
    await writeFile(join(folder, 'src/consumer.ts'), await readFile(join(PACKAGE, 'test/consumer/use.ts'), 'utf8'));
    for (const [name, compiler] of Object.entries(compilers)) {
      for (const [module, moduleResolution] of [
        ['NodeNext', 'NodeNext'],
        ['ESNext', 'Bundler'],
      ]) {
        const compilerOptions = {
          target: 'ES2022',
          lib: ['ES2022', 'DOM', 'DOM.Iterable'],
          types: [],
          module,
          moduleResolution,
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
        };
        await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
        assert.equal(complaintsOf(compiler, folder), '', `TypeScript ${name}, ${module}`);
      }
    }
  });

  test('has lockfiles that name no registry', async () => {
    for (const path of [
      'package-lock.json',
      '../compat/package-lock.json',
      '../examples/render/www/package-lock.json',
    ]) {
      assert.equal(/"resolved": "https?:/.test(await readFile(join(PACKAGE, path), 'utf8')), false, path);
    }
  });
});

test('every file says first what it is for', async () => {
  const listed = run(
    'git',
    ['ls-files', 'src', 'generator/src', 'inspector', 'test', 'scripts', 'bench', 'adapters'],
    PACKAGE,
  );
  for (const path of listed
    .split('\n')
    .filter((name) => /\.(ts|js)$/.test(name) && !/generate\/(render|schemars)\.ts$/.test(name))) {
    const text = await readFile(join(PACKAGE, path), 'utf8');
    assert.match(text.replace(/^#!.*\n/, ''), /^\/\/ [A-Z`]/, path);
  }
});
