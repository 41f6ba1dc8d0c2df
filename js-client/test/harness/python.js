// Finds a Python with a certain version of wslink, or makes an environment for it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

/** The path of the interpreter; undefined, with a note, where there is no Python that can make one. */
export async function pythonWith(version) {
  const environment = join(CACHE, `python-wslink-${version}`);
  const python = join(environment, 'bin', 'python');
  if (existsSync(python) && run(python, ['-c', 'import wslink.server'])) return python;
  if (!run('python3', ['--version'])) {
    console.warn(`python3 is missing: nothing is tested against the stock Python server ${version}`);
    return undefined;
  }
  const made =
    run('python3', ['-m', 'venv', '--clear', environment]) &&
    run(python, ['-m', 'pip', 'install', '--quiet', `wslink==${version}`]);
  if (made) return python;
  console.warn(
    `python3 makes no environment (venv and pip): nothing is tested against the stock Python server ${version}`,
  );
  return undefined;
}

function run(program, args) {
  return spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}
