// The named types of a generated module: one for each definition, and for whatever does not fit in a line.
import { comment } from './comment.js';
import type { Documented, Schema } from './document.js';
import { Names, typeName } from './names.js';
import { directReferences, interfaceBody, keywordsOf, typeText, type Resolve } from './schema.js';

const DEFINITION = '#/components/schemas/';
/** Types of more characters are given a name. */
const INLINE = 90;

export class Types {
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #names: Names;
  readonly #declared: string[] = [];
  readonly #resolve: Resolve = (reference) => this.#definitions.get(keyOf(reference) ?? '');

  /** Declares all definitions, so that everything can refer to them. */
  constructor(definitions: Readonly<Record<string, Schema>>, reserved: readonly string[]) {
    this.#names = new Names(reserved);
    const keys = Object.keys(definitions).sort();
    this.#definitions = new Map(keys.map((key) => [key, this.#names.take(typeName(key))]));
    const cycles = cyclesOf(definitions);
    for (const [key, name] of this.#definitions) {
      // `type A = B` and `type B = A` would be no types.
      const resolve: Resolve = (reference) =>
        cycles.get(key)?.has(keyOf(reference) ?? '') ? 'unknown' : this.#resolve(reference);
      this.#declare(definitions[key]!, name, resolve);
    }
  }

  /** All declarations so far. */
  get declarations(): readonly string[] {
    return this.#declared;
  }

  /** The type of a schema; one that takes much room is declared under a name like the wanted one. */
  inline(schema: Schema, wanted: string): string {
    const text = typeText(schema, this.#resolve);
    return text.includes('\n') || text.length > INLINE ? this.declare(schema, wanted) : text;
  }

  declare(schema: Schema, wanted: string): string {
    const name = this.#names.take(typeName(wanted));
    this.#declare(schema, name, this.#resolve);
    return name;
  }

  #declare(schema: Schema, name: string, resolve: Resolve): void {
    const { description, deprecated } = (keywordsOf(schema) ?? {}) as Documented;
    const lines = comment({ ...(description && { description }), ...(deprecated && { deprecated }) });
    const body = interfaceBody(schema, resolve);
    if (body) lines.push(`export interface ${name} {`, ...body.map((line) => `  ${line}`), '}');
    else lines.push(`export type ${name} = ${typeText(schema, resolve)};`);
    this.#declared.push(`${lines.join('\n')}\n`);
  }
}

/** The definition that a reference within the document leads to. */
function keyOf(reference: unknown): string | undefined {
  if (typeof reference !== 'string' || !reference.startsWith(DEFINITION)) return undefined;
  const key = reference.slice(DEFINITION.length);
  try {
    return decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return key;
  }
}

/** For each definition, those that lead back to it without a member between. */
function cyclesOf(definitions: Readonly<Record<string, Schema>>): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map<string, string[]>();
  for (const [key, schema] of Object.entries(definitions)) {
    const keys = directReferences(schema).map(keyOf);
    direct.set(
      key,
      keys.filter((other): other is string => other !== undefined && Object.hasOwn(definitions, other)),
    );
  }
  const reached = (from: string): Set<string> => {
    const found = new Set<string>();
    const open = [from];
    while (open.length > 0) {
      for (const next of direct.get(open.pop()!) ?? []) {
        if (found.has(next)) continue;
        found.add(next);
        open.push(next);
      }
    }
    return found;
  };
  const reachable = new Map([...direct.keys()].map((key) => [key, reached(key)]));
  return new Map(
    [...direct].map(([key, others]) => [
      key,
      new Set(others.filter((other) => reachable.get(other)!.has(key) || other === key)),
    ]),
  );
}
