// Manifests against the official schema of OpenRPC documents, and its schemas against JSON Schema's.
import metaJsonSchema from '@json-schema-tools/meta-schema';
import metaOpenRpc from '@open-rpc/meta-schema';
import Ajv from 'ajv';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

const GOLDEN = new URL('../../wslink/tests/golden/gallery.openrpc.json', import.meta.url);

/** Both packages are CommonJS with a default export, whichever way they are imported. */
const unwrapped = (module) => module.default ?? module;

function validator() {
  const ajv = new Ajv({ strict: false, validateSchema: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ ...unwrapped(metaJsonSchema), $schema: undefined }, 'https://meta.json-schema.tools');
  return ajv.compile({ ...unwrapped(metaOpenRpc), $schema: undefined });
}

const golden = async () => JSON.parse(await readFile(GOLDEN, 'utf8'));

test('the recorded manifest is an OpenRPC document', async () => {
  const validate = validator();
  assert.ok(validate(await golden()), JSON.stringify(validate.errors, null, 2));
});

test('a server prints its manifest and ends', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.env.KIT_BIN, ['--manifest']);
  const manifest = JSON.parse(stdout);
  const validate = validator();
  assert.ok(validate(manifest), JSON.stringify(validate.errors, null, 2));
  assert.ok(manifest.methods.some(({ name }) => name === 'kit.echo'));
});

test('the validator tells what is none', async () => {
  const validate = validator();
  const manifest = await golden();
  manifest.methods[0].surprise = true;
  assert.ok(!validate(manifest));
  const broken = await golden();
  broken.methods[0].result.schema = { type: 'no such type' };
  assert.ok(!validate(broken));
});

test('every reference leads to a definition', async () => {
  const manifest = await golden();
  const references = JSON.stringify(manifest).match(/"\$ref":"[^"]*"/g) ?? [];
  assert.ok(references.length > 0);
  for (const reference of references) {
    const name = reference.match(/#\/components\/schemas\/([^"]*)/)?.[1];
    assert.ok(name in manifest.components.schemas, reference);
  }
});
