// A form field for a JSON Schema: what fits a widget gets one, everything else is written as JSON.
import { fill, freshId, h } from './dom.js';

export type Schema = boolean | { readonly [keyword: string]: any };

/** What a person fills in. `read` throws an error that says what is wrong; `undefined` is nothing at all. */
export interface Field {
  readonly element: HTMLElement;
  read(): unknown | Promise<unknown>;
}

interface Wanted {
  readonly label: string;
  readonly required: boolean;
  /** How the source says the default. */
  readonly otherwise?: string | undefined;
  readonly description?: string | undefined;
}

/** Deeper, people write JSON. */
const DEEPEST = 4;

export class Fields {
  readonly #definitions: Readonly<Record<string, Schema>>;

  constructor(definitions: Readonly<Record<string, Schema>>) {
    this.#definitions = definitions;
  }

  /** The field of one argument. */
  field(raw: Schema, wanted: Wanted, depth = 0): Field {
    const schema = this.#resolved(raw);
    const description = wanted.description ?? schema['description'];
    const about = { ...wanted, description, otherwise: wanted.otherwise ?? shown(schema['default']) };
    if (schema['x-wslink']?.binary) return file(about);
    const options = schema['enum'] ?? (schema['const'] === undefined ? constants(schema) : [schema['const']]);
    if (options) return choice(about, options);
    const types = ([] as string[]).concat(schema['type'] ?? []).filter((type) => type !== 'null');
    if (types.length === 1 && depth < DEEPEST) {
      switch (types[0]) {
        case 'boolean':
          return choice(about, [false, true]);
        case 'integer':
        case 'number':
          return numeric(about, schema, types[0]);
        case 'string':
          return text(about);
        case 'array':
          if (Array.isArray(schema['prefixItems'])) break;
          return this.#list(about, schema['items'] ?? true, depth);
        case 'object':
          if (schema['properties']) return this.#record(about, schema, depth);
      }
    }
    return json(about);
  }

  #resolved(schema: Schema): { readonly [keyword: string]: any } {
    if (typeof schema === 'boolean') return {};
    const { $ref, allOf, anyOf, ...rest } = schema;
    if (typeof $ref === 'string') {
      const name = $ref.replace('#/components/schemas/', '');
      return { ...this.#resolved(this.#definitions[name] ?? true), ...rest };
    }
    if (Array.isArray(allOf) && allOf.length === 1) return { ...this.#resolved(allOf[0]), ...rest };
    // An optional value: either it or null.
    const some = Array.isArray(anyOf) ? anyOf.filter((one) => one?.type !== 'null') : [];
    if (some.length === 1) return { ...this.#resolved(some[0]), ...rest };
    return schema;
  }

  #list(about: Wanted, items: Schema, depth: number): Field {
    const fields: Field[] = [];
    const list = h('div', { class: 'items' });
    const show = (): void =>
      fill(
        list,
        ...fields.map((field, at) => {
          const remove = (): void => {
            fields.splice(at, 1);
            show();
          };
          const label = `Remove item ${at + 1} of ${about.label}`;
          return h('div', { class: 'item' }, field.element, button('×', remove, label));
        }),
      );
    const add = (): void => {
      fields.push(this.field(items, { label: `${about.label} ${fields.length + 1}`, required: true }, depth + 1));
      show();
      fields.at(-1)!.element.querySelector<HTMLElement>('input, select, textarea')?.focus();
    };
    const element = group(about, list, button('Add item', add, `Add an item to ${about.label}`));
    const read = async (): Promise<unknown> =>
      fields.length === 0 && !about.required ? undefined : Promise.all(fields.map((field) => field.read()));
    return { element, read };
  }

  #record(about: Wanted, schema: { readonly [keyword: string]: any }, depth: number): Field {
    const required = new Set<string>(schema['required'] ?? []);
    const members = Object.entries(schema['properties'] as Record<string, Schema>).map(([name, member]) => {
      // What must be there in an object that need not be there itself.
      const needed = required.has(name) && about.required;
      return [name, this.field(member, { label: name, required: needed }, depth + 1)] as const;
    });
    const element = group(about, ...members.map(([, field]) => field.element));
    const read = async (): Promise<unknown> => {
      const values = await Promise.all(members.map(async ([name, field]) => [name, await field.read()] as const));
      const given = values.filter(([, value]) => value !== undefined);
      if (given.length === 0 && !about.required) return undefined;
      const missing = [...required].find((name) => !given.some(([other]) => other === name));
      if (missing !== undefined) throw new Error(`${about.label}.${missing} is missing`);
      return Object.fromEntries(given);
    };
    return { element, read };
  }
}

/** The values of a choice between constants. */
function constants(schema: { readonly [keyword: string]: any }): unknown[] | undefined {
  const one = schema['oneOf'] ?? schema['anyOf'];
  const all = Array.isArray(one) && one.length > 0 && one.every((each) => each?.const !== undefined || each?.enum);
  return all ? one.flatMap((each: any) => each.enum ?? [each.const]) : undefined;
}

function text(about: Wanted): Field {
  const input = h('input', {
    type: 'text',
    placeholder: about.otherwise ?? '',
    autocomplete: 'off',
    spellcheck: false,
  });
  // Nothing written is an empty text where there must be one.
  const read = (): unknown => (input.value === '' && !about.required ? undefined : input.value);
  return { element: labelled(about, input), read };
}

function numeric(about: Wanted, schema: { readonly [keyword: string]: any }, type: string): Field {
  const input = h('input', {
    type: 'number',
    inputMode: type === 'integer' ? 'numeric' : 'decimal',
    step: type === 'integer' ? '1' : 'any',
    min: schema['minimum'] ?? '',
    max: schema['maximum'] ?? '',
    placeholder: about.otherwise ?? '',
  });
  const read = (): unknown => {
    if (input.validity.badInput) throw new Error(`${about.label} is no number`);
    if (input.value === '') return missing(about);
    const value = input.valueAsNumber;
    // Of a large integer a number would be another one.
    return /^-?\d+$/.test(input.value) && !Number.isSafeInteger(value) ? BigInt(input.value) : value;
  };
  return { element: labelled(about, input), read };
}

function choice(about: Wanted, options: readonly unknown[]): Field {
  const none = about.otherwise === undefined ? 'not given' : `not given (${about.otherwise})`;
  const input = h(
    'select',
    {},
    !about.required && h('option', { value: '' }, none),
    ...options.map((option, at) =>
      h('option', { value: String(at) }, typeof option === 'string' ? option : shown(option)),
    ),
  );
  const read = (): unknown => (input.value === '' ? undefined : options[Number(input.value)]);
  return { element: labelled(about, input), read };
}

function file(about: Wanted): Field {
  const input = h('input', { type: 'file' });
  const read = async (): Promise<unknown> => {
    const chosen = input.files?.[0];
    return chosen ? new Uint8Array(await chosen.arrayBuffer()) : missing(about);
  };
  return { element: labelled(about, input), read };
}

/** Anything, as JSON. */
export function json(about: Wanted): Field {
  const input = h('textarea', { rows: 2, placeholder: about.otherwise ?? 'JSON', spellcheck: false });
  const read = (): unknown => {
    if (input.value.trim() === '') return missing(about);
    try {
      return JSON.parse(input.value);
    } catch (error) {
      throw new Error(`${about.label} is no JSON: ${(error as Error).message}`);
    }
  };
  return { element: labelled(about, input), read };
}

function missing(about: Wanted): undefined {
  if (about.required) throw new Error(`${about.label} is missing`);
  return undefined;
}

function labelled(about: Wanted, input: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement): HTMLElement {
  input.id = freshId();
  const note = about.description ? h('small', { id: `${input.id}n` }, about.description) : undefined;
  if (note) input.setAttribute('aria-describedby', note.id);
  const label = h('label', { htmlFor: input.id }, about.label);
  return h(
    'div',
    { class: 'field' },
    h('div', { class: 'name' }, label, !about.required && h('i', {}, 'optional')),
    input,
    note,
  );
}

function group(about: Wanted, ...children: readonly HTMLElement[]): HTMLElement {
  const note = about.description ? h('small', {}, about.description) : undefined;
  const legend = h('legend', {}, about.label, !about.required && h('i', {}, ' optional'));
  return h('fieldset', {}, legend, note, ...children);
}

export function button(name: string, press: () => void, label = name): HTMLButtonElement {
  return h('button', { type: 'button', class: 'quiet', 'aria-label': label, onclick: press }, name);
}

function shown(value: unknown): string | undefined {
  const exact = (_key: string, member: unknown): unknown => (typeof member === 'bigint' ? String(member) : member);
  return value === undefined ? undefined : JSON.stringify(value, exact);
}
