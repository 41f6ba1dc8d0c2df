// The stub of one method or topic: its type and the expression that makes it.
import { comment } from './comment.js';
import type { Method, MethodError, Parameter, Schema, Topic } from './document.js';
import { labelName, quoted, typeName } from './names.js';
import { keywordsOf } from './schema.js';
import type { Types } from './types.js';

export interface Stub {
  readonly uri: string;
  readonly maker: 'method' | 'topic' | 'filteredTopic';
  readonly comment: readonly string[];
  /** The lines of the expression that makes it. */
  readonly expression: readonly string[];
}

const WIDTH = 110;
const NOTHING = 'Record<string, never>';

export function methodStub(method: Method, types: Types): Stub {
  const { name, params = [], result, 'x-wslink': own } = method;
  const { rest, require, timeoutMs, errors = [] } = own ?? {};
  const base = typeName(name);
  const named = params.length > 0 || rest ? types.declare(objectOf(params, rest === true), `${base}Params`) : NOTHING;
  const typeArguments = [
    named,
    positional(named, params, rest === true),
    types.inline(result?.schema ?? true, `${base}Result`),
  ];
  const failures: string[] = [];
  for (const error of errors) failures.push(types.declare(errorData(error), `${base}${typeName(error.name)}`));
  if (failures.length > 0) typeArguments.push(failures.join(' | '));
  const names = errors.length > 0 ? `, [${errors.map((error) => quoted(error.name)).join(', ')}]` : '';
  return {
    uri: name,
    maker: 'method',
    comment: comment(method, [...required(require), ...limited(timeoutMs), ...errors.map(thrown)]),
    expression: expression('method', typeArguments, `(session, ${quoted(name)}${names})`),
  };
}

export function topicStub(topic: Topic, types: Types): Stub {
  const { name, payload, filter = [], require } = topic;
  const base = typeName(name);
  const maker = filter.length > 0 ? 'filteredTopic' : 'topic';
  const typeArguments = [types.inline(payload ?? true, `${base}Payload`)];
  if (filter.length > 0) typeArguments.push(types.declare(objectOf(filter, false), `${base}Filter`));
  return {
    uri: name,
    maker,
    comment: comment(topic, required(require)),
    expression: expression(maker, typeArguments, `(session, ${quoted(name)})`),
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

function described({ schema = true, summary, description, 'x-wslink': own }: Parameter): Schema {
  const keywords = keywordsOf(schema);
  const value = keywords && 'default' in keywords ? jsonOf(keywords['default']) : own?.default;
  const lines = [
    summary,
    description ?? keywords?.['description'],
    value === undefined ? undefined : `Default: \`${value}\`.`,
  ];
  const text = lines.filter((line) => typeof line === 'string').join('\n\n');
  return withDescription(schema, text);
}

/** A manifest that came over a WebSocket has exact integers. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? String(member) : member));
}

function errorData({ data = true, code, message, summary, description }: MethodError): Schema {
  return withDescription(data, [summary, description, `${message} (${code}).`].filter(Boolean).join('\n\n'));
}

function withDescription(schema: Schema, description: string): Schema {
  const keywords = keywordsOf(schema) ?? (schema === false ? { enum: [] } : {});
  return description === '' ? keywords : { ...keywords, description };
}

function required(authority: string | null | undefined): string[] {
  return typeof authority !== 'string' ? [] : [`Requires \`${authority}\`.`];
}

function limited(timeoutMs: number | undefined): string[] {
  return typeof timeoutMs !== 'number' ? [] : [`May take ${timeoutMs} ms.`];
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
