// TypeScript types of JSON Schemas: named ones for the definitions, and for whatever does not fit in a line.
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import type { Schema } from './document.js';
import { Names, typeName } from './names.js';

const DEFINITION = '#/components/schemas/';
const SIMPLE = /^export type \S+ =\s+([^;{}]+?);?\n*$/;

/** Keywords whose members are schemas by a name that somebody chose. */
const MAPS = new Set(['properties', 'patternProperties']);
/** Keywords whose value is a schema or an array of them. */
const SCHEMA = new Set([
  'items',
  'additionalItems',
  'additionalProperties',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'contains',
  'if',
  'then',
  'else',
]);

export class Types {
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #names: Names;
  readonly #declared: string[] = [];

  private constructor(names: Names, definitions: ReadonlyMap<string, string>) {
    this.#names = names;
    this.#definitions = definitions;
  }

  /** Declares all definitions, so that everything can refer to them. */
  static async of(definitions: Readonly<Record<string, Schema>>, reserved: readonly string[]): Promise<Types> {
    const names = new Names(reserved);
    const keys = Object.keys(definitions).sort();
    const named = new Map(keys.map((key) => [key, names.take(typeName(key))]));
    const types = new Types(names, named);
    for (const [key, name] of named) types.#declared.push(await types.#compile(definitions[key]!, name));
    return types;
  }

  /** All declarations so far. */
  get declarations(): readonly string[] {
    return this.#declared;
  }

  /** The type of a schema; one that takes several lines is declared under a name like the wanted one. */
  async inline(schema: Schema, wanted: string): Promise<string> {
    const text = await this.#compile(schema, 'Inline');
    const simple = SIMPLE.exec(text)?.[1];
    return simple !== undefined && !simple.includes('\n') ? simple : this.declare(schema, wanted);
  }

  async declare(schema: Schema, wanted: string): Promise<string> {
    const name = this.#names.take(typeName(wanted));
    this.#declared.push(await this.#compile(schema, name));
    return name;
  }

  async #compile(schema: Schema, name: string): Promise<string> {
    const text = await compile(this.#prepared(schema) as JSONSchema, name, {
      additionalProperties: false,
      bannerComment: '',
      style: { singleQuote: true, printWidth: 110 },
    });
    // The compiler has rules of its own for names.
    return text.replace(/^export (interface|type) [\w$]+/m, `export $1 ${name}`);
  }

  /** A schema that the compiler turns into the wanted type by itself. */
  #prepared(schema: unknown): unknown {
    if (typeof schema !== 'object' || schema === null) return { tsType: schema === false ? 'never' : 'unknown' };
    const { $ref, title: _title, 'x-wslink': own, ...keywords } = schema as Record<string, unknown>;
    const description = keywords['description'] === undefined ? {} : { description: keywords['description'] };
    if (typeof $ref === 'string')
      return { ...description, tsType: this.#definitions.get($ref.replace(DEFINITION, '')) ?? 'unknown' };
    if ((own as { binary?: boolean } | undefined)?.binary) return { ...description, tsType: 'Uint8Array' };
    if (Object.keys(keywords).every((keyword) => keyword === 'description'))
      return { ...description, tsType: 'unknown' };
    return Object.fromEntries(
      Object.entries(keywords).map(([keyword, value]) => {
        if (SCHEMA.has(keyword)) return [keyword, typeof value === 'boolean' ? value : this.#preparedAll(value)];
        if (!MAPS.has(keyword)) return [keyword, value];
        const members = Object.entries(value as Record<string, unknown>);
        return [keyword, Object.fromEntries(members.map(([name, member]) => [name, this.#prepared(member)]))];
      }),
    );
  }

  #preparedAll(value: unknown): unknown {
    return Array.isArray(value) ? value.map((member) => this.#prepared(member)) : this.#prepared(value);
  }
}
