// The messages of the protocol, as both generations carry them.

export interface Request {
  readonly wslink: '1.0';
  readonly id: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly timeout_ms?: number;
}

/** A reply, an event or a progress message. */
export interface Incoming {
  readonly id: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  readonly progress?: unknown;
  readonly sub?: number;
  readonly end?: boolean;
}

/** The result of `wslink.hello`; a stock server sends the first two members at most. */
export interface Hello {
  readonly clientID: string;
  readonly maxMsgSize?: number;
  readonly extensions?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
  /** For how long the client is admitted, in milliseconds, unless for ever. */
  readonly expiresInMs?: number;
  readonly resume?: string;
  readonly resumed?: Resumed | null;
}

/** What goes on of a connection that was lost: how many events of each topic are missing, and which subscriptions. */
export interface Resumed {
  readonly missed: Readonly<Record<string, number>>;
  readonly kept: readonly number[];
}

const EVENT = /^publish:(.*):[^:]*$/s;

/** The topic of an event, or undefined for everything else. */
export function topicOf({ id }: Incoming): string | undefined {
  return EVENT.exec(id)?.[1];
}

export function request(
  id: string,
  method: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Request {
  return { wslink: '1.0', id, method, args, kwargs };
}
