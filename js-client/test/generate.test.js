// The generator: its output, what a compiler says to it, what it does, and the command.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CallError, connect } from 'wslink-client';
import { generate } from '../generator/dist/index.js';
import { complaints, withGenerated } from './harness/generated.js';
import './harness/node-websocket.js';
import { scriptedServer } from './harness/scripted-server.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const MANIFEST = join(PACKAGE, 'test/generate/render.json');
const GOLDEN = join(PACKAGE, 'test/generate/render.ts');
const CLI = join(PACKAGE, 'generator/dist/cli.js');

const SCHEMARS = join(PACKAGE, 'test/generate/schemars');

const manifest = JSON.parse(await readFile(MANIFEST, 'utf8'));
if (process.env.UPDATE_GOLDEN) await writeFile(GOLDEN, await generate(manifest));
const golden = await readFile(GOLDEN, 'utf8');

describe('the output', () => {
  test('is as it was; `UPDATE_GOLDEN=1` renews it', async () => {
    assert.equal(await generate(manifest), golden);
  });

  test('of everything that schemars emits is as it was', async () => {
    const made = await generate(JSON.parse(await readFile(`${SCHEMARS}.json`, 'utf8')));
    if (process.env.UPDATE_GOLDEN) await writeFile(`${SCHEMARS}.ts`, made);
    assert.equal(await readFile(`${SCHEMARS}.ts`, 'utf8'), made);
  });

  test('does not depend on the order of the manifest', async () => {
    const reversed = structuredClone(manifest);
    reversed.methods.reverse();
    reversed['x-wslink'].topics.reverse();
    reversed.components.schemas = Object.fromEntries(Object.entries(manifest.components.schemas).reverse());
    assert.equal(await generate(reversed), golden);
  });

  test('pleases the strict compiler, which finds the mistakes in its use', () => {
    assert.equal(complaints('test/generate'), '');
  });

  test('of a manifest that Rust has recorded pleases it too', async () => {
    const recorded = new URL('../../wslink/tests/golden/gallery.openrpc.json', import.meta.url);
    const source = await generate(JSON.parse(await readFile(recorded, 'utf8')));
    await withGenerated(source, (_generated, said) => assert.equal(said, ''));
  });

  test('of a server without anything is a module too', async () => {
    const empty = await generate({ openrpc: '1.3.2', info: { title: 'none', version: '0' }, methods: [] });
    assert.match(empty, /export function api\(_session: Session\) {\n {2}return {\n {2}};\n}/);
  });

  test('names a method and a topic of one name', async () => {
    const clash = structuredClone(manifest);
    clash['x-wslink'].topics[0].name = 'myapp.scene.load';
    await assert.rejects(generate(clash), /myapp\.scene\.load is a method and a topic/);
  });
});

describe('the generated client', { timeout: 20_000 }, () => {
  let api;
  let server;
  let session;
  let peer;
  before(() => withGenerated(golden, (generated) => ({ api } = generated)));
  beforeEach(async () => {
    server = await scriptedServer();
    session = connect(server.url);
    peer = await server.accept();
    await peer.greet();
  });
  afterEach(async () => {
    await session.close();
    server.stop();
  });

  test('calls by name and by position', async () => {
    const { window } = api(session).myapp.render;
    const named = window.image({ w: 1, h: 2 });
    const first = await peer.next('myapp.render.window.image');
    assert.deepEqual([first.args, first.kwargs], [[], { w: 1, h: 2 }]);
    peer.reply(first, { image: new Uint8Array([1]), size: [1, 2] });
    assert.deepEqual((await named).image, new Uint8Array([1]));

    const positional = window.image.positional([1, 2], { timeout: 1000 });
    const second = await peer.next('myapp.render.window.image');
    assert.deepEqual([second.args, second.kwargs], [[1, 2], {}]);
    assert.equal(second.timeout_ms > 0, true);
    peer.reply(second, null);
    await positional;

    const nothing = window();
    peer.reply(await peer.next('myapp.render.window'), ['main']);
    assert.deepEqual(await nothing, ['main']);
  });

  test('knows its own errors', async () => {
    const { image } = api(session).myapp.render.window;
    const call = image({ w: 1, h: 2 });
    const { id } = await peer.next('myapp.render.window.image');
    peer.send({ id, error: { code: 4002, message: 'too large', data: { name: 'TooLarge', limit: 5 } } });
    const error = await call.catch((reason) => reason);
    assert.equal(image.failed(error), true);
    assert.equal(error.data.limit, 5);
    assert.equal(image.failed(new CallError(-32602, 'Invalid params', { param: 'w' })), false);
    assert.equal(image.failed(new TypeError()), false);
  });

  test('subscribes without a filter, with options only or as before', async () => {
    const { changed } = api(session).myapp.render.window;
    for (const given of [[], [{ buffer: 'latest' }], [{}, { buffer: 'latest' }]]) {
      const events = changed(...given);
      const request = await peer.next('wslink.subscribe');
      assert.deepEqual(request.kwargs, {});
      peer.reply(request, { subscription: 1 });
      await events.promise;
      peer.event('myapp.render.window.changed', 1);
      peer.event('myapp.render.window.changed', 2);
      const call = session.call('x');
      peer.reply(await peer.next('x'), 1);
      await call;
      assert.equal((await events[Symbol.asyncIterator]().next()).value, given.length > 0 ? 2 : 1);
      await events.unsubscribe();
      await peer.next('wslink.unsubscribe');
    }
  });

  test('subscribes', async () => {
    const tiles = api(session).myapp.render.tiles({ region: 'left' });
    const request = await peer.next('wslink.subscribe');
    assert.deepEqual([request.args, request.kwargs], [['myapp.render.tiles'], { region: 'left' }]);
    peer.reply(request, { subscription: 3 });
    peer.event('myapp.render.tiles', { tile: 8 }, { sub: 3 });
    for await (const event of tiles) {
      assert.deepEqual(event, { tile: 8 });
      break;
    }
  });
});

test('a method keeps its own members beside methods of these names', async () => {
  const info = { title: 'clash', version: '1' };
  const methods = ['a', 'a.failed', 'a.failed_', 'a.positional', 'a.name'].map((name) => ({ name, params: [] }));
  methods[0].params = [{ name: '__proto__', required: true, schema: { type: 'string' } }];
  methods[0]['x-wslink'] = { errors: [{ name: 'E', code: 1, message: 'e', data: true }] };
  const source = await generate({ openrpc: '1', info, methods });
  await withGenerated(source, async ({ api }, said) => {
    assert.equal(said, '');
    const called = [];
    const { a } = api({ call: async (uri, args, kwargs) => called.push([uri, args, Object.entries(kwargs)]) });
    assert.equal(a.failed(new CallError(1, 'e', { name: 'E' })), true);
    assert.equal(a.failed(new CallError(1, 'e', { name: 'F' })), false);
    await a.positional(['x']);
    await a(JSON.parse('{"__proto__": "x"}'));
    for (const method of ['failed__', 'failed_', 'positional_', 'name']) await a[method]();
    assert.deepEqual(called, [
      ['a', ['x'], []],
      ['a', [], [['__proto__', 'x']]],
      ...['a.failed', 'a.failed_', 'a.positional', 'a.name'].map((uri) => [uri, [], []]),
    ]);
  });
});

describe('the command', { timeout: 120_000 }, () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wslink-client-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function command(...args) {
    const child = spawn(process.execPath, [CLI, ...args]);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].on('data', (text) => (output[name] += text));
    const [status] = await once(child, 'close');
    return { ...output, status };
  }

  test('writes a file, and leaves alone one that is the same', async () => {
    const output = join(folder, 'api.ts');
    assert.deepEqual(await command(MANIFEST, '-o', output), { stdout: '', stderr: '', status: 0 });
    assert.equal(await readFile(output, 'utf8'), golden);
    const { mtimeMs } = await stat(output);
    await command(MANIFEST, '-o', output);
    assert.equal((await stat(output)).mtimeMs, mtimeMs);
    const nested = join(folder, 'not/there/yet/api.ts');
    assert.equal((await command(MANIFEST, '-o', nested)).status, 0);
    assert.equal(await readFile(nested, 'utf8'), golden);
  });

  test('asks over HTTP', async () => {
    const server = createServer(async ({ url }, response) => {
      if (url === '/app/manifest.json') response.end(await readFile(MANIFEST));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${server.address().port}`;
    assert.equal((await command(`${base}/app`)).stdout, golden);
    assert.equal((await command(`${base}/app/manifest.json`)).stdout, golden);
    const missing = await command(base);
    assert.match(missing.stderr, /manifest\.json answers 404/);
    assert.equal(missing.status, 1);
    server.close();
  });

  test('asks a running server', async () => {
    const server = await scriptedServer();
    const running = command(server.url, '--secret', 'told');
    const peer = await server.accept();
    assert.equal((await peer.greet()).secret, 'told');
    peer.reply(await peer.next('wslink.manifest'), manifest);
    assert.equal((await running).stdout, golden);
    server.stop();
  });

  test('watches', async () => {
    const [source, output] = [join(folder, 'watched.json'), join(folder, 'watched.ts')];
    await copyFile(MANIFEST, source);
    const child = spawn(process.execPath, [CLI, source, '-o', output, '--watch']);
    const told = async () => String((await once(child.stderr, 'data'))[0]);
    // At once: a file that is half written is read as well.
    const replace = async (text) => {
      await writeFile(`${source}.new`, text);
      await rename(`${source}.new`, source);
    };
    assert.match(await told(), /was read/);
    const broken = told();
    await replace('nonsense');
    assert.match(await broken, /JSON/);
    const changed = told();
    await replace(JSON.stringify({ ...manifest, info: { title: 'changed', version: '1' } }));
    assert.match(await changed, /was read/);
    child.kill();
    await once(child, 'close');
    assert.match(await readFile(output, 'utf8'), /from the manifest of changed 1;/);
  });

  test('says what is wrong', async () => {
    for (const args of [[], [MANIFEST, 'more'], ['--other']]) {
      assert.equal((await command(...args)).status, 1);
    }
    assert.match((await command(join(folder, 'none.json'))).stderr, /none\.json/);
    assert.match((await command(join(PACKAGE, 'package.json'))).stderr, /no OpenRPC document/);
    const help = await command('--help');
    assert.match(help.stdout, /wslink-generate SOURCE/);
  });
});
