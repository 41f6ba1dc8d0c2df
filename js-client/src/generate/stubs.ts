// The stub of one method or topic: its type and the expression that makes it.
import { comment } from './comment.js';
import type { Method, MethodError, Parameter, Schema, Topic } from './document.js';
import { labelName, quoted, typeName } from './names.js';
import type { Types } from './types.js';

export interface Stub {
  readonly uri: string;
  readonly maker: 'method' | 'topic';
  readonly comment: readonly string[];
  /** The lines of the expression that makes it. */
  readonly expression: readonly string[];
}

const WIDTH = 110;
const NOTHING = 'Record<string, never>';

export async function methodStub(method: Method, types: Types): Promise<Stub> {
  const { name, params, result, 'x-wslink': { rest = false, require, timeoutMs, errors = [] } = {} } = method;
  const base = typeName(name);
  const named = params.length > 0 || rest ? await types.declare(objectOf(params, rest), `${base}Params`) : NOTHING;
  const typeArguments = [
    named,
    positional(named, params, rest),
    await types.inline(result?.schema ?? true, `${base}Result`),
  ];
  const failures: string[] = [];
  for (const error of errors) failures.push(await types.declare(errorData(error), `${base}${typeName(error.name)}`));
  if (failures.length > 0) typeArguments.push(failures.join(' | '));
  const names = errors.length > 0 ? `, [${errors.map((error) => quoted(error.name)).join(', ')}]` : '';
  return {
    uri: name,
    maker: 'method',
    comment: comment(method, [...required(require), ...limited(timeoutMs), ...errors.map(thrown)]),
    expression: expression('method', typeArguments, `(session, ${quoted(name)}${names})`),
  };
}

export async function topicStub(topic: Topic, types: Types): Promise<Stub> {
  const { name, payload, filter = [], require } = topic;
  const base = typeName(name);
  const typeArguments = [await types.inline(payload, `${base}Payload`)];
  if (filter.length > 0) typeArguments.push(await types.declare(objectOf(filter, false), `${base}Filter`));
  return {
    uri: name,
    maker: 'topic',
    comment: comment(topic, required(require)),
    expression: expression('topic', typeArguments, `(session, ${quoted(name)})`),
  };
}

function expression(maker: string, types: readonly string[], call: string): string[] {
  const line = `${maker}<${types.join(', ')}>${call}`;
  return line.length <= WIDTH
    ? [line]
    : [`${maker}<`, ...types.map((type, index) => `  ${type}${index < types.length - 1 ? ',' : ''}`), `>${call}`];
}

function objectOf(params: readonly Parameter[], rest: boolean): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(params.map((param) => [param.name, described(param)])),
    required: params.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: rest,
  };
}

function described({ schema, summary, description, 'x-wslink': { default: source } = {} }: Parameter): Schema {
  const value = typeof schema === 'object' && 'default' in schema ? JSON.stringify(schema['default']) : source;
  const own = typeof schema === 'object' ? schema['description'] : undefined;
  const lines = [summary, description ?? own, value === undefined ? undefined : `Default: \`${value}\`.`];
  const text = lines.filter((line) => line !== undefined).join('\n\n');
  const { default: _shown, ...keywords } = typeof schema === 'object' ? schema : {};
  return text === '' ? keywords : { ...keywords, description: text };
}

function errorData({ data, code, message, summary, description }: MethodError): Schema {
  const text = [summary, description, `${message} (${code}).`].filter(Boolean).join('\n\n');
  return typeof data === 'object' ? { ...data, description: text } : { description: text };
}

function required(authority: string | undefined): string[] {
  return authority === undefined ? [] : [`Requires \`${authority}\`.`];
}

function limited(timeoutMs: number | undefined): string[] {
  return timeoutMs === undefined ? [] : [`May take ${timeoutMs} ms.`];
}

function thrown({ name, message }: MethodError): string {
  return `@throws \`${name}\`: ${message}`;
}

// A required argument after one that may be left out makes that one required too, as in a signature.
function positional(named: string, params: readonly Parameter[], rest: boolean): string {
  const lastRequired = params.findLastIndex(({ required }) => required);
  const members = params.map(({ name, required }, index) => {
    const optional = index > lastRequired ? '?' : '';
    const type = `${named}[${quoted(name)}]`;
    return `${labelName(name)}${optional}: ${required || optional ? type : `${type} | undefined`}`;
  });
  return `[${[...members, ...(rest ? ['...rest: unknown[]'] : [])].join(', ')}]`;
}
