// Manifests made at random, of keywords and texts that may stand together nowhere.
import { manifestOf, record } from './document.js';
import { EVERY } from './names.js';

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

/** A manifest of nonsense, the same for the same seed. */
export function nonsenseManifest(seed) {
  const next = random(seed * 7919);
  const text = () => EVERY[next(EVERY.length)];
  const list = (make, most = 5) => Array.from({ length: next(most) + 1 }, make);
  const parameter = () => ({ name: text(), description: text(), required: next(2) === 0, schema: nonsense(next) });
  return manifestOf(
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
