// The TypeScript type of a JSON Schema. Only the keywords named here have an effect; no reference leaves the document.
import { comment } from './comment.js';
import { memberName, quoted } from './names.js';

/** How tightly the parts of a type are bound. */
type Level = 'union' | 'intersection' | 'primary';

interface Type {
  readonly text: string;
  readonly level: Level;
}

type Keywords = Readonly<Record<string, unknown>>;

/** The name of the definition that a reference leads to; undefined for every other reference. */
export type Resolve = (reference: string) => string | undefined;

const UNKNOWN = primary('unknown');
const WIDE_INTEGER: Type = { text: 'number | bigint', level: 'union' };
/** Deeper schemas are `unknown`. */
const MAX_DEPTH = 48;
/** Longer arrays of a fixed length are arrays of any. */
const LONGEST_TUPLE = 32;
/** Integers of these formats may be more than a number holds. */
const WIDE = /^u?int(64|128)$/;

/** The text of a type; its objects take a line for each member. */
export function typeText(schema: unknown, resolve: Resolve): string {
  return typeOf(schema, resolve, 0).text;
}

/** The lines of the members, if the schema is an object with nothing beside them. */
export function interfaceBody(schema: unknown, resolve: Resolve): string[] | undefined {
  const keywords = keywordsOf(schema);
  const others = ['$ref', 'oneOf', 'anyOf', 'allOf', 'enum', 'const', 'x-wslink', 'nullable'];
  if (!keywords || !isObject(keywords) || others.some((name) => name in keywords)) return undefined;
  if (keywords['type'] !== undefined && keywords['type'] !== 'object') return undefined;
  return membersOf(keywords, resolve, 0);
}

/** The references of a type that are part of it and not of a member: an alias cannot refer to itself that way. */
export function directReferences(schema: unknown, depth = 0): string[] {
  const keywords = keywordsOf(schema);
  if (!keywords || depth > MAX_DEPTH) return [];
  const own = typeof keywords['$ref'] === 'string' ? [keywords['$ref']] : [];
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((name) => listOf(keywords[name]));
  return [...own, ...parts.flatMap((part) => directReferences(part, depth + 1))];
}

function typeOf(schema: unknown, resolve: Resolve, depth: number): Type {
  if (schema === false) return primary('never');
  const keywords = keywordsOf(schema);
  if (!keywords || depth > MAX_DEPTH) return UNKNOWN;
  const inner = (part: unknown): Type => typeOf(part, resolve, depth + 1);
  if (keywordsOf(keywords['x-wslink'])?.['binary'] === true) return primary('Uint8Array');

  const parts: Type[] = [];
  if (typeof keywords['$ref'] === 'string') parts.push(primary(resolve(keywords['$ref']) ?? 'unknown'));
  if ('const' in keywords) parts.push(literal(keywords['const'], depth));
  else if (Array.isArray(keywords['enum'])) parts.push(union(keywords['enum'].map((value) => literal(value, depth))));
  else parts.push(...typed(keywords, resolve, depth));
  for (const name of ['anyOf', 'oneOf']) {
    if (Array.isArray(keywords[name])) parts.push(union(listOf(keywords[name]).map(inner)));
  }
  parts.push(...listOf(keywords['allOf']).map(inner));
  const whole = intersection(parts);
  return keywords['nullable'] === true ? union([whole, primary('null')]) : whole;
}

/** What `type` says, with the keywords of that type. */
function typed(keywords: Keywords, resolve: Resolve, depth: number): Type[] {
  const { type } = keywords;
  const names = listOf(Array.isArray(type) ? type : type === undefined ? guessed(keywords) : [type]);
  const types = names.map((name): Type => {
    switch (name) {
      case 'string':
      case 'boolean':
      case 'null':
        return primary(name);
      case 'number':
        return primary('number');
      case 'integer': {
        const wide = typeof keywords['format'] === 'string' && WIDE.test(keywords['format']);
        return wide ? WIDE_INTEGER : primary('number');
      }
      case 'array':
        return arrayType(keywords, resolve, depth);
      case 'object':
        return primary(braced(membersOf(keywords, resolve, depth)));
      default:
        return UNKNOWN;
    }
  });
  return types.length > 0 ? [union(types)] : [];
}

function guessed(keywords: Keywords): string[] {
  if (isObject(keywords)) return ['object'];
  return 'items' in keywords || 'prefixItems' in keywords ? ['array'] : [];
}

function isObject(keywords: Keywords): boolean {
  const { type } = keywords;
  const named = 'properties' in keywords || 'additionalProperties' in keywords || 'patternProperties' in keywords;
  return type === 'object' || (type === undefined && named);
}

function arrayType(keywords: Keywords, resolve: Resolve, depth: number): Type {
  const inner = (part: unknown): Type => typeOf(part, resolve, depth + 1);
  const { prefixItems, items, additionalItems, minItems, maxItems } = keywords;
  // Before draft 2020-12 a list of `items` was what `prefixItems` is now.
  const first = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
  const others = Array.isArray(items) ? additionalItems : items;
  if (first) {
    const required = Math.min(typeof minItems === 'number' ? minItems : 0, first.length);
    const members = first.map((part, at) => (at < required ? inner(part).text : `${enclosed(inner(part))}?`));
    const closed = others === false || (typeof maxItems === 'number' && maxItems <= first.length);
    if (!closed) members.push(`...${arrayOf(inner(others ?? true))}`);
    return primary(`[${members.join(', ')}]`);
  }
  const fixed =
    typeof maxItems === 'number' && minItems === maxItems && maxItems <= LONGEST_TUPLE ? maxItems : undefined;
  if (fixed === undefined || fixed < 0 || !Number.isInteger(fixed)) return primary(arrayOf(inner(items ?? true)));
  return primary(
    `[${Array<string>(fixed)
      .fill(inner(items ?? true).text)
      .join(', ')}]`,
  );
}

/** The lines between the braces of an object. */
function membersOf(keywords: Keywords, resolve: Resolve, depth: number): string[] {
  const inner = (part: unknown): Type => typeOf(part, resolve, depth + 1);
  const properties = Object.entries(keywordsOf(keywords['properties']) ?? {});
  const required = new Set(listOf(keywords['required']));
  const lines = properties.flatMap(([name, schema]) => {
    const { description, deprecated } = (keywordsOf(schema) ?? {}) as { description?: string; deprecated?: boolean };
    const isRequired = required.has(name);
    const type = isRequired ? inner(schema) : union([inner(schema), primary('undefined')]);
    const key = name === '__proto__' ? "'__proto__'" : memberName(name);
    const documented = comment({ ...(description && { description }), ...(deprecated && { deprecated }) });
    return [...documented, `${key}${isRequired ? '' : '?'}: ${type.text};`];
  });
  const patterns = Object.values(keywordsOf(keywords['patternProperties']) ?? {});
  const { additionalProperties } = keywords;
  const more =
    additionalProperties === undefined || additionalProperties === false
      ? patterns
      : [...patterns, additionalProperties];
  if (more.length > 0) {
    // An index signature holds for the named members too, which are of other types.
    const type = properties.length > 0 ? UNKNOWN : union(more.map(inner));
    lines.push(`[key: string]: ${type.text};`);
  } else if (properties.length === 0)
    lines.push(`[key: string]: ${additionalProperties === false ? 'never' : 'unknown'};`);
  return lines.flatMap((line) => line.split('\n'));
}

function literal(value: unknown, depth: number): Type {
  if (typeof value === 'string') return primary(quoted(value));
  if (value === null || typeof value === 'boolean') return primary(String(value));
  // Of larger ones the text of the manifest is lost already.
  if (typeof value === 'bigint') return WIDE_INTEGER;
  if (typeof value === 'number') return isExact(value) ? primary(numeral(value)) : WIDE_INTEGER;
  if (depth > MAX_DEPTH) return UNKNOWN;
  if (Array.isArray(value)) return primary(`[${value.map((member) => literal(member, depth + 1).text).join(', ')}]`);
  const members = Object.entries(value as object);
  if (members.length === 0) return primary('{ [key: string]: never }');
  return primary(
    braced(
      members.map(
        ([name, member]) =>
          `${name === '__proto__' ? "'__proto__'" : memberName(name)}: ${literal(member, depth + 1).text};`,
      ),
    ),
  );
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

function numeral(value: number): string {
  return Object.is(value, -0) ? '0' : String(value);
}

function braced(lines: readonly string[]): string {
  return `{\n${lines
    .flatMap((line) => line.split('\n'))
    .map((line) => `  ${line}`)
    .join('\n')}\n}`;
}

function union(parts: readonly Type[]): Type {
  if (parts.some(({ text }) => text === 'unknown')) return UNKNOWN;
  return joined(
    parts.filter(({ text }) => text !== 'never'),
    ' | ',
    'union',
    'never',
  );
}

function intersection(parts: readonly Type[]): Type {
  return joined(
    parts.filter(({ text }) => text !== 'unknown'),
    ' & ',
    'intersection',
    'unknown',
  );
}

function joined(parts: readonly Type[], by: string, level: Level, none: string): Type {
  const different = [...new Map(parts.map((part) => [part.text, part])).values()];
  if (different.length === 0) return primary(none);
  if (different.length === 1) return different[0]!;
  const texts = different.map((part) =>
    part.level === 'union' && level === 'intersection' ? `(${part.text})` : part.text,
  );
  return { text: texts.join(by), level };
}

function arrayOf(type: Type): string {
  return `${enclosed(type)}[]`;
}

function enclosed({ text, level }: Type): string {
  return level === 'primary' ? text : `(${text})`;
}

function primary(text: string): Type {
  return { text, level: 'primary' };
}

/** Its keywords, if it is a schema that has some. */
export function keywordsOf(schema: unknown): Keywords | undefined {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? (schema as Keywords) : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
