// What the server serves as its inspector is what the sources here build.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildInspector, FILES } from '../scripts/inspector.js';

const SERVED = fileURLToPath(new URL('../../wslink/src/http/inspector', import.meta.url));

test('the inspector in the crate is built from its sources', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wslink-inspector-'));
  try {
    await buildInspector(folder);
    for (const file of FILES) {
      const [built, served] = await Promise.all([folder, SERVED].map((place) => readFile(join(place, file), 'utf8')));
      assert.ok(built === served, `${file} is not what its source builds; run \`npm run build:inspector\``);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
