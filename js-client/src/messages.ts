// The messages of the protocol, as both versions carry them, and the checks of what a server sends.
import { CallError, ProtocolError } from './errors.js';

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
  readonly error?: unknown;
  readonly progress?: unknown;
  readonly sub?: unknown;
  readonly end?: unknown;
  /** Why its content cannot be shown. */
  readonly problem?: ProtocolError;
}

/** The result of `wslink.hello`, checked; a stock server sends the first two members at most. */
export interface Hello {
  readonly clientID: string;
  readonly maxMsgSize: number | undefined;
  readonly extensions: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  /** For how long the client is admitted, in milliseconds, unless for ever. */
  readonly expiresInMs: number | undefined;
  readonly resume: string | undefined;
  readonly resumed: Resumed | undefined;
}

/** What goes on of a connection that was lost: how many events of each topic are missing, and which subscriptions. */
export interface Resumed {
  readonly missed: ReadonlyMap<string, number>;
  readonly kept: ReadonlySet<number>;
}

/** A smaller frame would be more header than content. */
const SMALLEST_FRAME = 64;
const EVENT = 'publish:';

/** What this client knows beside the original protocol. */
export const EXTENSIONS = ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'];

/** The topic of an event, or undefined for everything else. */
export function topicOf({ id }: Incoming): string | undefined {
  const end = id.lastIndexOf(':');
  return id.startsWith(EVENT) && end >= EVENT.length ? id.slice(EVENT.length, end) : undefined;
}

export function request(
  id: string,
  method: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): Request {
  return { wslink: '1.0', id, method, args, kwargs };
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isFrame = (value: unknown): boolean => isCount(value) && value >= SMALLEST_FRAME;
const areAll = (values: unknown, fits: (value: unknown) => boolean): boolean =>
  Array.isArray(values) && values.every(fits);

/** Throws `ProtocolError` unless every member is what it has to be. */
export function helloOf(result: unknown): Hello {
  const hello = membersOf(result, 'hello');
  const member = (name: string, fits: (value: unknown) => boolean, members = hello): any => {
    const value = members[name] ?? undefined;
    if (value !== undefined && !fits(value)) throw wrong(name);
    return value;
  };
  const limits = Object.fromEntries(counts(hello['limits']));
  member('maxMsgSize', isFrame, limits);
  const clientID = member('clientID', isText);
  if (!clientID) throw wrong('clientID');
  const resumed = hello['resumed'] == null ? undefined : membersOf(hello['resumed'], 'resumed');
  return {
    clientID,
    limits,
    maxMsgSize: member('maxMsgSize', isFrame),
    extensions: new Set(member('extensions', (value) => areAll(value, isText))),
    expiresInMs: member('expiresInMs', isCount),
    resume: member('resume', isText),
    resumed: resumed && {
      missed: new Map(counts(resumed['missed'])),
      kept: new Set(member('kept', (value) => areAll(value, isCount), resumed)),
    },
  };
}

/** The number of a subscription that was made. */
export function subscriptionOf(result: unknown): number {
  const number = membersOf(result, 'subscription')['subscription'];
  if (!isCount(number)) throw wrong('subscription');
  return number;
}

/** The error of a reply or an event; something else in its place becomes one too. */
export function callErrorOf(error: unknown): CallError {
  const { code, message, data } = Object(error) as Record<string, unknown>;
  return new CallError(typeof code === 'number' ? code : 0, String(message), data);
}

/** What later versions add may be of another kind. */
function counts(value: unknown): [string, number][] {
  return Object.entries(membersOf(value ?? {}, 'limits')).filter(([, count]) => isCount(count)) as [string, number][];
}

export function membersOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(what);
}

function wrong(name: string): ProtocolError {
  return new ProtocolError(`the server sent no valid ${name}`);
}
