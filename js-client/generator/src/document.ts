// The parts of an OpenRPC document that clients are generated from, with our extension `x-wslink`.

export type Schema = boolean | { readonly [keyword: string]: unknown };

export interface Documented {
  readonly summary?: string;
  readonly description?: string;
  readonly deprecated?: boolean;
}

export interface Parameter extends Documented {
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: Schema;
  /** `default`: how the server's source says a default that is no JSON. */
  readonly 'x-wslink'?: { readonly default?: string };
}

export interface MethodError extends Documented {
  readonly name: string;
  readonly code: number;
  readonly message: string;
  /** Of the error's `data`, in which `name` is the name of the error. */
  readonly data?: Schema;
}

export interface Method extends Documented {
  readonly name: string;
  readonly params?: readonly Parameter[];
  readonly result?: { readonly schema?: Schema };
  /** `rest`: whether it takes further arguments of any kind; `require`: the authority that callers must have. */
  readonly 'x-wslink'?: {
    readonly rest?: boolean;
    readonly require?: string;
    readonly timeoutMs?: number;
    readonly errors?: readonly MethodError[];
  };
}

export interface Topic extends Documented {
  readonly name: string;
  readonly payload?: Schema;
  readonly filter?: readonly Parameter[];
  /** The authority that subscribers must have. */
  readonly require?: string;
}

export interface OpenRpc {
  readonly openrpc: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly methods: readonly Method[];
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
  readonly 'x-wslink'?: { readonly topics?: readonly Topic[] };
}

/** No longer name is a URI. */
const LONGEST_NAME = 1024;

type Members = Readonly<Record<string, unknown>>;

/** The value as a document; throws, naming the place, where it is none. */
export function documentOf(value: unknown): OpenRpc {
  const document = value as Members | null | undefined;
  if (typeof document?.['openrpc'] !== 'string' || !Array.isArray(document['methods'])) {
    throw new Error('this is no OpenRPC document');
  }
  const info = members(document['info'], 'info');
  for (const name of ['title', 'version']) text(info[name], `info.${name}`);
  each(document['methods'], 'methods', checkMethod);
  const own = optional(document['x-wslink'], 'x-wslink');
  each(own['topics'] ?? [], 'x-wslink.topics', checkTopic);
  optional(optional(document['components'], 'components')['schemas'], 'components.schemas');
  return value as OpenRpc;
}

function checkMethod(method: Members, place: string): void {
  checkName(method['name'], place);
  each(method['params'] ?? [], `${place}.params`, checkParameter);
  optional(method['result'], `${place}.result`);
  const own = optional(method['x-wslink'], `${place}.x-wslink`);
  optionalText(own['require'], `${place}.x-wslink.require`);
  if (own['timeoutMs'] !== undefined && typeof own['timeoutMs'] !== 'number')
    throw wrong(`${place}.x-wslink.timeoutMs`);
  each(own['errors'] ?? [], `${place}.x-wslink.errors`, (error, at) => {
    text(error['name'], `${at}.name`);
    text(error['message'], `${at}.message`);
    if (typeof error['code'] !== 'number') throw wrong(`${at}.code`);
  });
}

function checkTopic(topic: Members, place: string): void {
  checkName(topic['name'], place);
  each(topic['filter'] ?? [], `${place}.filter`, checkParameter);
  optionalText(topic['require'], `${place}.require`);
}

function checkParameter(parameter: Members, place: string): void {
  text(parameter['name'], `${place}.name`);
  optionalText(optional(parameter['x-wslink'], `${place}.x-wslink`)['default'], `${place}.x-wslink.default`);
}

function checkName(name: unknown, place: string): void {
  if (text(name, `${place}.name`).length > LONGEST_NAME) throw wrong(`${place}.name`);
}

function each(list: unknown, place: string, check: (item: Members, place: string) => void): void {
  if (!Array.isArray(list)) throw wrong(place);
  list.forEach((item, at) => check(members(item, `${place}[${at}]`), `${place}[${at}]`));
}

function members(value: unknown, place: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw wrong(place);
}

function optional(value: unknown, place: string): Members {
  return value === undefined || value === null ? {} : members(value, place);
}

function text(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw wrong(place);
}

function optionalText(value: unknown, place: string): void {
  if (value !== undefined && value !== null) text(value, place);
}

function wrong(place: string): Error {
  return new Error(`this is no OpenRPC document: ${place} is missing or wrong`);
}
