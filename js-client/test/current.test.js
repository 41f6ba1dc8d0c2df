// The clients that the examples' pages were given are those that their servers' manifests make now.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { generate } from '../generator/dist/index.js';

const CLIENTS = {
  SIMPLE_BIN: '../../examples/simple/www/api.ts',
  CHAT_BIN: '../example/api.ts',
  ROOM_BIN: '../../examples/room/www/api.ts',
  RENDER_BIN: '../../examples/render/www/src/api.ts',
};

for (const [variable, path] of Object.entries(CLIENTS)) {
  test(`${path.replaceAll('../', '')} is current; \`UPDATE_GOLDEN=1\` renews it`, async () => {
    const program = process.env[variable];
    assert.ok(program, `${variable} is not set: build the server and set it to the path of the program`);
    const { stdout, stderr, status } = spawnSync(program, ['--manifest'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const generated = await generate(JSON.parse(stdout));
    const file = new URL(path, import.meta.url);
    if (process.env.UPDATE_GOLDEN) await writeFile(file, generated);
    assert.equal(await readFile(file, 'utf8'), generated);
  });
}
