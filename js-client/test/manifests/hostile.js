// Manifests that mean harm, or name things as nobody should; each has to become a valid module.
import { readFile } from 'node:fs/promises';
import { info, manifestOf, object, record } from './document.js';
import { CODE, EVERY } from './names.js';

/** Documents that have to become valid modules. */
export const MANIFESTS = {
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
  'what schemars emits': JSON.parse(await readFile(new URL('../generate/schemars.json', import.meta.url), 'utf8')),
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
