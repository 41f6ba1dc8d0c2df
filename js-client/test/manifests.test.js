// Manifests that mean harm, or that name things as nobody should: no text becomes code, nothing is fetched, and every
// module is valid TypeScript for the oldest and the newest supported compiler with all of their checks.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { generate } from '../generator/dist/index.js';
import { compilers, complaintsOf } from './harness/generated.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** Each would run, or break the module, wherever it got out of its literal or comment. */
const CODE = [
  '*/ globalThis.HARMED = 1; /*',
  "'; globalThis.HARMED = 1; '",
  '"; globalThis.HARMED = 1; "',
  '`; globalThis.HARMED = 1; `${globalThis.HARMED = 1}',
  'a\nglobalThis.HARMED = 1;\n',
  'a\rglobalThis.HARMED = 1;\r',
  'a\u2028globalThis.HARMED = 1;\u2029globalThis.HARMED = 1;',
  '\\',
  "\\'; globalThis.HARMED = 1; //",
  '*\\/ globalThis.HARMED = 1',
  '\u202e \u2066 \0 \x1b[31m \ud800',
  '] = 1; globalThis.HARMED = 1; var [a',
  '});} globalThis.HARMED = 1; {({',
  '<script>globalThis.HARMED = 1</script>',
  '// @ts-nocheck',
  '/// <reference path="/etc/passwd" />',
];
const NAMES = (
  'abstract any arguments as asserts async await bigint boolean break case catch class const constructor continue ' +
  'debugger declare default delete do else enum eval export extends false finally for from function get if implements ' +
  'import in infer instanceof interface is keyof let module namespace never new null number object of out override ' +
  'package private protected public readonly require return satisfies set static string super switch symbol this ' +
  'throw true try type typeof undefined unique unknown using var void while with yield ' +
  'Record ReturnType Promise Uint8Array Array Object String Symbol Session Api api method topic withMembers ' +
  'filteredTopic Method Topic globalThis __proto__ prototype toString hasOwnProperty valueOf then name length call ' +
  'apply bind caller positional failed $ _ $a a$ a-b a.b a_b aB A_B 1 1a 0x1 NaN Infinity -0'
).split(' ');
const SCRIPTS = [
  '日本',
  'Ελλάδα',
  'россия',
  'العربية',
  'עברית',
  'हिन्दी',
  '한국어',
  'ไทย',
  '𠮷野',
  '𝒳',
  '🦀',
  'é',
  'e\u0301',
  'ß',
  'ŉ',
  'Ⅷ',
  '²',
  '\ua7d0',
  '‿',
  '·a',
  '\u200d',
  ' ',
  '',
  '  a  b ',
  'ǆ',
  'İ',
];
const EVERY = [...NAMES, ...SCRIPTS, ...CODE];

const info = { title: 'test', version: '1' };
const manifestOf = (methods, topics = [], schemas = {}) => ({
  openrpc: '1.3.2',
  info,
  methods,
  components: { schemas: record(Object.entries(schemas)) },
  'x-wslink': { topics },
});
/** Also with the name `__proto__`. */
const record = (entries) => Object.fromEntries(entries);
const object = (names) => ({
  type: 'object',
  properties: record(names.map((name) => [name, { type: 'string', description: name, default: name }])),
  required: names.filter((_, at) => at % 2),
});

/** Documents that have to become valid modules. */
const MANIFESTS = {
  'code in every text': {
    ...manifestOf(
      CODE.map((text, at) => ({
        name: `a.m${at}`,
        summary: text,
        description: text,
        deprecated: true,
        params: [
          { name: text, summary: text, description: text, schema: { type: 'string', default: text, pattern: text } },
        ],
        result: {
          schema: { enum: [text, 1, null, { [text]: text }], tsType: text, $id: text, title: text, format: text },
        },
        'x-wslink': { require: text, errors: [{ name: text, code: 1, message: text, data: object([text]) }] },
      })),
      CODE.map((text, at) => ({
        name: `a.t${at}`,
        summary: text,
        payload: { const: text, $comment: text },
        require: text,
      })),
      record(CODE.map((text) => [text, { description: text, tsType: text, $id: text, $ref: text, extends: text }])),
    ),
    info: { title: CODE.join(' '), version: CODE.join('\n') },
  },
  'every name as a method': manifestOf(EVERY.map((name) => ({ name, params: [] }))),
  'every name as a segment of a method': manifestOf([
    { name: 'a', params: [], 'x-wslink': { errors: [{ name: 'E', code: 1, message: 'e', data: true }] } },
    ...EVERY.map((name) => ({ name: `a.${name}`, params: [] })),
    ...EVERY.map((name) => ({ name: `b.${name}.c`, params: [] })),
  ]),
  'every name as a topic': manifestOf(
    [],
    EVERY.map((name) => ({ name, payload: object([name]), filter: [{ name, schema: true }] })),
  ),
  'every name as a parameter': manifestOf([
    { name: 'all', params: EVERY.map((name, at) => ({ name, required: at % 3 === 0, schema: { type: 'string' } })) },
    ...EVERY.map((name, at) => ({ name: `m${at}`, params: [{ name, required: at % 2 === 0, schema: true }] })),
  ]),
  'every name as a schema': manifestOf(
    EVERY.map((name, at) => ({
      name: `m${at}`,
      params: [],
      result: { schema: { $ref: `#/components/schemas/${encodeURIComponent(name.toWellFormed())}` } },
    })),
    [],
    record(EVERY.map((name) => [name, object([name])])),
  ),
  'every name as an error': manifestOf([
    {
      name: 'a',
      params: [],
      'x-wslink': { errors: EVERY.map((name) => ({ name, code: 1, message: name, data: object([name]) })) },
    },
  ]),
  duplicates: manifestOf(
    [
      {
        name: 'a.b',
        params: [
          { name: 'x', schema: true },
          { name: 'x', schema: true },
        ],
      },
      { name: 'a.b', params: [] },
      { name: 'a-b', params: [] },
      { name: 'a_b', params: [] },
      { name: 'aB', params: [] },
    ],
    [
      { name: 't', payload: true },
      { name: 't', payload: true },
    ],
    record(['a b', 'a-b', 'aB', 'AB', 'AB2', 'AB3'].map((name) => [name, object(['x'])])),
  ),
  'references that lead in circles, nowhere or outside': manifestOf(
    [
      'file:///etc/hostname',
      'http://127.0.0.1:1/',
      '#',
      '#/',
      '#/components/schemas/',
      '#/components/schemas/none',
      '#/methods/0',
      '#/components/schemas/constructor',
      '#/components/schemas/%',
      '/etc/hostname',
      'A',
    ].map(($ref, at) => ({ name: `m${at}`, params: [], result: { schema: { $ref } } })),
    [],
    {
      Self: { $ref: '#/components/schemas/Self' },
      A: { $ref: '#/components/schemas/B' },
      B: { anyOf: [{ $ref: '#/components/schemas/C' }, { type: 'null' }] },
      C: {
        allOf: [
          { $ref: '#/components/schemas/A' },
          { type: 'object', properties: { a: { $ref: '#/components/schemas/A' } } },
        ],
      },
      List: { type: 'array', items: { $ref: '#/components/schemas/List' } },
      Tuple: { type: 'array', prefixItems: [{ $ref: '#/components/schemas/Tuple' }] },
      Tree: { type: 'object', properties: { left: { $ref: '#/components/schemas/Tree' } } },
      Map: { type: 'object', additionalProperties: { $ref: '#/components/schemas/Map' } },
      Nested: {
        oneOf: [
          { type: 'object', properties: { Nested: { $ref: '#/components/schemas/Nested' } } },
          { type: 'string' },
        ],
      },
    },
  ),
  'schemas that are none': manifestOf(
    [
      null,
      5,
      'text',
      [],
      { type: 5 },
      { type: ['string', 'string', 'nothing'] },
      { properties: 5 },
      { properties: [1] },
      { required: 'x', properties: { x: 1 } },
      { enum: [] },
      { enum: 'a' },
      { anyOf: 5 },
      { anyOf: [] },
      { allOf: [false, true] },
      { items: 5, type: 'array' },
      { type: 'array', minItems: -1, maxItems: -1 },
      { type: 'array', minItems: 1.5, maxItems: 1.5 },
      { type: 'array', minItems: 1e9, maxItems: 1e9 },
      { const: 1e400 },
      { enum: [1e300, -0, 0.1, 9007199254740993, -1e-300] },
      { 'x-wslink': 5 },
      { $ref: 5 },
      { description: 5, deprecated: 'yes' },
      { patternProperties: 5 },
      { propertyNames: { $ref: 'http://127.0.0.1:1/' } },
    ].map((schema, at) => ({ name: `m${at}`, params: [{ name: 'x', schema }], result: { schema } })),
  ),
  'what schemars emits': JSON.parse(await readFile(new URL('generate/schemars.json', import.meta.url), 'utf8')),
  'nesting without end': manifestOf([
    { name: Array(400).fill('a').join('.'), params: [] },
    {
      name: 'deep',
      params: [],
      result: { schema: JSON.parse('{"type":"array","items":'.repeat(3000) + 'true' + '}'.repeat(3000)) },
    },
    { name: 'wide', params: [], result: { schema: { enum: Array.from({ length: 3000 }, (_, at) => `v${at}`) } } },
  ]),
};

/** The same numbers each time. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Any nonsense that may still be taken for a schema. */
function nonsense(next, depth = 0) {
  const text = () => EVERY[next(EVERY.length)];
  const inner = () => (depth < 4 ? nonsense(next, depth + 1) : true);
  const list = () => Array.from({ length: next(4) }, inner);
  const named = () => record(Array.from({ length: next(4) }, () => [text(), inner()]));
  const values = { type: () => ['string', 'integer', 'number', 'boolean', 'null', 'array', 'object', text()][next(8)] };
  for (const name of ['oneOf', 'anyOf', 'allOf', 'prefixItems']) values[name] = list;
  for (const name of ['properties', 'patternProperties', '$defs', 'dependentSchemas']) values[name] = named;
  for (const name of ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'])
    values[name] = inner;
  for (const name of ['title', 'description', 'pattern', '$id', 'tsType', '$comment', '$anchor', 'extends', 'default'])
    values[name] = text;
  values.const = values.enum = () => [text(), next(1000) - 500, { [text()]: text() }];
  values.required = () => [text(), text()];
  values.$ref = () => `#/components/schemas/${text()}`;
  values.minItems = values.maxItems = () => next(5);
  values.format = () => ['int64', 'uint32', 'date-time', text()][next(4)];
  const keywords = Object.keys(values);
  return record(
    Array.from({ length: 1 + next(5) }, () => keywords[next(keywords.length)]).map((name) => [name, values[name]()]),
  );
}

for (let seed = 1; seed <= 60; seed += 1) {
  const next = random(seed * 7919);
  const text = () => EVERY[next(EVERY.length)];
  const list = (make, most = 5) => Array.from({ length: next(most) + 1 }, make);
  const parameter = () => ({ name: text(), description: text(), required: next(2) === 0, schema: nonsense(next) });
  MANIFESTS[`nonsense ${seed}`] = manifestOf(
    list((_, at) => ({
      name: `m${at}.${text()}.${text()}`,
      summary: text(),
      params: list(parameter),
      result: { schema: nonsense(next) },
      'x-wslink': {
        rest: next(2) === 0,
        errors: list(() => ({ name: text(), code: next(9), message: text(), data: nonsense(next) }), 2),
      },
    })),
    list((_, at) => ({ name: `t${at}.${text()}`, payload: nonsense(next), filter: next(2) ? list(parameter) : [] })),
    record(list(() => [text(), nonsense(next)], 8)),
  );
}

describe('generated modules', { timeout: 300_000 }, () => {
  let folder;
  const modules = [];
  before(async () => {
    folder = await mkdtemp(join(PACKAGE, 'test/built-'));
    for (const [what, manifest] of Object.entries(MANIFESTS)) {
      const source = await generate(manifest);
      const path = join(folder, `m${modules.length}`);
      modules.push({ what, source, path });
      await writeFile(`${path}.ts`, source);
      const { code } = await transform(source, { loader: 'ts', format: 'esm' });
      await writeFile(`${path}.js`, code);
    }
  });
  after(() => rm(folder, { recursive: true }));

  for (const [name, compiler] of Object.entries(compilers)) {
    test(`are valid for TypeScript ${name}, with all checks`, async () => {
      const project = join(folder, `project-${name}`);
      await mkdir(project);
      const compilerOptions = {
        target: 'ES2022',
        lib: ['ES2022', 'DOM'],
        types: [],
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noUnusedLocals: true,
        noUnusedParameters: true,
        isolatedModules: true,
        verbatimModuleSyntax: true,
        skipLibCheck: false,
        noEmit: true,
      };
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['../*.ts'] }));
      const said = complaintsOf(compiler, project);
      const about = said.replace(/m(\d+)\.ts/, (file, at) => `${file} (${modules[at]?.what})`);
      assert.equal(about, '');
    });
  }

  test('run nothing but their own code', async () => {
    const session = { call: async () => {}, subscribe: () => ({}) };
    for (const { what, path } of modules) {
      const module = await import(`${path}.js`);
      assert.deepEqual(Object.keys(module), ['api'], what);
      module.api(session);
      assert.equal('HARMED' in globalThis, false, what);
    }
  });

  test('have visible characters only, and directives of nobody', () => {
    for (const { what, source } of modules) {
      assert.equal(/[^\P{C}\n\t]|\u2028|\u2029/u.test(source), false, what);
      assert.equal(/^\s*\/\/(?!\/? Generated by)/m.test(source), false, what);
    }
  });
});

test('nothing is read or fetched for a manifest', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end('{"type":"string"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const secret = new URL('generate/render.json', import.meta.url).href;
  for (const reference of [`http://127.0.0.1:${server.address().port}/`, secret, fileURLToPath(secret)]) {
    const schema = { $ref: reference };
    const everywhere = {
      propertyNames: schema,
      extends: reference,
      $schema: reference,
      items: schema,
      allOf: [schema],
      $dynamicRef: reference,
    };
    const source = await generate(
      manifestOf([{ name: 'a', params: [{ name: 'x', schema: everywhere }], result: { schema } }]),
    );
    assert.equal(/Frame|JPEG|string>/.test(source), false);
    assert.match(source, /unknown/);
  }
  assert.equal(asked, 0);
  server.close();
});

test('documents that are none are refused with the place', async () => {
  const wrong = {
    methods: { openrpc: '1', info, methods: 5 },
    'info.title': { openrpc: '1', info: { version: '1' }, methods: [] },
    'methods[0]': { openrpc: '1', info, methods: [5] },
    'methods[0].name': { openrpc: '1', info, methods: [{ params: [] }] },
    'methods[0].params': { openrpc: '1', info, methods: [{ name: 'a', params: {} }] },
    'methods[0].params[0].name': { openrpc: '1', info, methods: [{ name: 'a', params: [{}] }] },
    'x-wslink.topics[0].name': {
      openrpc: '1',
      info,
      methods: [],
      'x-wslink': { topics: [{ name: 'a'.repeat(2000) }] },
    },
  };
  for (const [place, document] of Object.entries(wrong)) {
    await assert.rejects(
      generate(document),
      ({ message }) => message.includes('no OpenRPC document') && (place === 'methods' || message.includes(place)),
    );
  }
  for (const document of [null, 5, 'text', []]) await assert.rejects(generate(document), /no OpenRPC document/);
});
