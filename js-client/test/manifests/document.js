// The parts of manifests for tests.

export const info = { title: 'test', version: '1' };
export const manifestOf = (methods, topics = [], schemas = {}) => ({
  openrpc: '1.3.2',
  info,
  methods,
  components: { schemas: record(Object.entries(schemas)) },
  'x-wslink': { topics },
});
/** Also with the name `__proto__`. */
export const record = (entries) => Object.fromEntries(entries);
export const object = (names) => ({
  type: 'object',
  properties: record(names.map((name) => [name, { type: 'string', description: name, default: name }])),
  required: names.filter((_, at) => at % 2),
});
