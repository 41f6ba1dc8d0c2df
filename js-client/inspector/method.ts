// One method: its documentation, a form for its arguments, and what its calls return.
import type { Method, Parameter } from '../generator/src/document.js';
import { AuthenticationError, CallError, WslinkError, type Session } from '../src/index.js';
import { fill, h } from './dom.js';
import { duration } from './format.js';
import type { Log } from './log.js';
import { json, type Field, type Fields } from './schema.js';
import { line, view } from './value.js';

/** The arguments of a call by name, and those that have none. */
interface Arguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export function methodPage(method: Method, fields: Fields, session: Session, log: Log): HTMLElement {
  const output = h('div', { class: 'output', 'aria-live': 'polite' });
  const send = h('button', { type: 'submit', class: 'strong' }, 'Call');
  const cancel = h('button', { type: 'button', class: 'quiet', hidden: true }, 'Cancel');
  const form = new Form(method, fields);
  let shown = new AbortController();

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    shown.abort();
    shown = new AbortController();
    const calling = new AbortController();
    const progress = h('pre', { class: 'progress', hidden: true });
    const begun = performance.now();
    const took = (): string => duration((performance.now() - begun) / 1000);
    cancel.onclick = () => calling.abort(new Error('cancelled here'));
    cancel.hidden = false;
    send.disabled = true;
    fill(output, h('p', { class: 'note' }, 'Waiting for the reply …'), progress);
    try {
      const { args, kwargs } = await form.read();
      log.add('call', method.name, args.length > 0 ? args : kwargs);
      const result = await session.call(method.name, args, kwargs, {
        signal: calling.signal,
        onProgress(value: unknown) {
          progress.hidden = false;
          progress.textContent = `progress: ${line(value)}`;
        },
      });
      log.add('reply', method.name, result);
      fill(output, h('p', { class: 'note good' }, `Answered in ${took()}`), view(result, shown.signal));
    } catch (error) {
      log.add('error', method.name, String(error));
      fill(output, failure(method, error, took(), shown.signal));
    } finally {
      cancel.hidden = true;
      send.disabled = false;
    }
  };

  return h(
    'section',
    { class: 'page' },
    heading(method.name, method),
    about(method),
    h('form', { class: 'arguments', onsubmit: submit }, form.element, h('div', { class: 'bar' }, send, cancel)),
    output,
  );
}

/** The arguments: field by field, or all of them as JSON. */
class Form {
  readonly element = h('div');
  readonly #raw: Field;
  readonly #named: readonly (readonly [Parameter, Field])[];
  #asJson: boolean;

  constructor(method: Method, fields: Fields) {
    this.#named = (method.params ?? []).map((parameter) => [parameter, parameterField(parameter, fields)]);
    this.#raw = json({
      label: 'Arguments',
      required: false,
      description: 'An array for arguments by position, an object for arguments by name.',
    });
    this.#asJson = method['x-wslink']?.rest === true;
    const choose = h('input', { type: 'checkbox', checked: this.#asJson });
    const shown = h('div', { class: 'fields' });
    const show = (): void => {
      this.#asJson = choose.checked;
      const none = h('p', { class: 'note' }, 'It takes no arguments.');
      const all = this.#named.map(([, field]) => field.element);
      fill(shown, ...(choose.checked ? [this.#raw.element] : all.length > 0 ? all : [none]));
    };
    choose.addEventListener('change', show);
    show();
    this.element.append(shown, h('label', { class: 'choice' }, choose, 'Write the arguments as JSON'));
  }

  async read(): Promise<Arguments> {
    if (this.#asJson) {
      const given = await this.#raw.read();
      if (given === undefined) return { args: [], kwargs: {} };
      if (Array.isArray(given)) return { args: given, kwargs: {} };
      if (typeof given === 'object' && given !== null) return { args: [], kwargs: given as Record<string, unknown> };
      throw new Error('Arguments are an array or an object');
    }
    const values = await Promise.all(
      this.#named.map(async ([parameter, field]) => [parameter.name, await field.read()] as const),
    );
    return { args: [], kwargs: Object.fromEntries(values.filter(([, value]) => value !== undefined)) };
  }
}

export function parameterField(parameter: Parameter, fields: Fields): Field {
  return fields.field(parameter.schema ?? true, {
    label: parameter.name,
    required: parameter.required === true,
    otherwise: parameter['x-wslink']?.default,
    description: parameter.description ?? parameter.summary,
  });
}

export function heading(name: string, { deprecated }: { readonly deprecated?: boolean }): HTMLElement {
  return h('h1', {}, h('code', {}, name), deprecated && h('span', { class: 'mark' }, 'deprecated'));
}

function about(method: Method): HTMLElement {
  const { timeoutMs, require, errors } = (method['x-wslink'] ?? {}) as {
    timeoutMs?: number;
    require?: string;
    errors?: readonly { readonly name: string; readonly code: number; readonly summary?: string }[];
  };
  return h(
    'div',
    { class: 'about' },
    documentation(method),
    needs(require),
    timeoutMs !== undefined && h('p', { class: 'note' }, `May take ${duration(timeoutMs / 1000)}.`),
    errors !== undefined &&
      h(
        'p',
        { class: 'note' },
        'Errors: ',
        ...errors.map(({ name, code }) => h('code', { class: 'chip' }, `${name} ${code}`)),
      ),
  );
}

/** The authority that is needed, if any. */
export function needs(authority: string | undefined): HTMLElement | undefined {
  return authority === undefined ? undefined : h('p', { class: 'note' }, `Needs the authority ${authority}.`);
}

export function documentation({ summary, description }: { summary?: string; description?: string }): HTMLElement {
  return h(
    'div',
    { class: 'docs' },
    summary !== undefined && h('p', {}, summary),
    description !== undefined && h('p', {}, description),
  );
}

/** An error with all that is known of it. */
function failure(method: Method, error: unknown, took: string, signal: AbortSignal): HTMLElement {
  const typed = error instanceof CallError && !(error instanceof AuthenticationError) ? error : undefined;
  const name = (typed?.data as { name?: unknown } | undefined)?.name;
  const known = method['x-wslink']?.errors?.find((one) => one.code === typed?.code && one.name === name);
  const code = error instanceof WslinkError ? ` (${error.code})` : '';
  return h(
    'div',
    { class: 'failure', role: 'alert' },
    h('p', {}, h('b', {}, known?.name ?? (error as Error).name), `${code} after ${took}`),
    h('p', {}, (error as Error).message ?? String(error)),
    known?.summary !== undefined && h('p', { class: 'note' }, known.summary),
    typed?.data !== undefined && typed.data !== null && view(typed.data, signal),
  );
}
