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
  readonly schema: Schema;
  /** `default`: how the server's source says a default that is no JSON. */
  readonly 'x-wslink'?: { readonly default?: string };
}

export interface MethodError extends Documented {
  readonly name: string;
  readonly code: number;
  readonly message: string;
  /** Of the error's `data`, in which `name` is the name of the error. */
  readonly data: Schema;
}

export interface Method extends Documented {
  readonly name: string;
  readonly params: readonly Parameter[];
  readonly result?: { readonly schema: Schema };
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
  readonly payload: Schema;
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

/** The value as a document; throws if it is clearly something else. */
export function documentOf(value: unknown): OpenRpc {
  const { openrpc, info, methods } = (value ?? {}) as Partial<OpenRpc>;
  if (typeof openrpc !== 'string' || !info || !Array.isArray(methods)) throw new Error('this is no OpenRPC document');
  return value as OpenRpc;
}
