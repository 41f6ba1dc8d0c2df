// What can be said about a session, a call and a subscription.
import type { Backoff } from './backoff.js';
import type { AuthenticationError } from './errors.js';
import type { Ping } from './liveness.js';
import type { ErrorContext } from './report.js';
import type { Wire } from './wire/wire.js';

/** The part of the browser's `WebSocket` that a session uses. */
export type SocketLike = Pick<
  WebSocket,
  'binaryType' | 'readyState' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onerror' | 'onclose'
>;

/** Why a secret is asked for. */
export interface SecretRequest {
  /** The server refused the secret before; who has no other one gives the same again, which ends the session. */
  readonly refused: AuthenticationError | undefined;
  /** Aborted when the secret is of no use any more, as after `connectTimeout`. */
  readonly signal: AbortSignal;
}

export interface ConnectOptions {
  /** What the server asks for, or what gets it: called anew for each connection, and before it expires. */
  secret?: string | ((request: SecretRequest) => string | Promise<string>) | undefined;
  /** The version of the protocol: `v2`, or `v1` for Python servers before 2.0. */
  wire?: Wire | undefined;
  /** Whether and how to connect again after a drop. Default: true. */
  reconnect?: boolean | Backoff | undefined;
  /** How long the secret, connecting and hello may take together, in milliseconds; 0 and `Infinity`: any time. Default: 10,000. */
  connectTimeout?: number | undefined;
  /** How a connection that is dead without having ended is found out, or false. Default: after 20 and 20 seconds. */
  ping?: false | Ping | undefined;
  /** The `timeout` of calls that give none. Default: none. */
  timeout?: number | undefined;
  /** Whether calls wait for a connection while there is none, or fail at once. Default: true. */
  waitForConnection?: boolean | undefined;
  /** The largest message of the server, and the most that is kept of incomplete ones. Default: 512 MiB. */
  maxMessageBytes?: number | undefined;
  /** Hears of errors that no promise tells: exceptions of callbacks, events that cannot be shown. Default: the console. */
  onError?: ((error: unknown, context: ErrorContext) => void) | undefined;
  /** Makes the socket, where there is no global `WebSocket` or a proxy stands in for it. */
  webSocket?: ((url: string) => SocketLike) | undefined;
}

export interface CallOptions<Progress = unknown> {
  /** Gives the call up: it rejects with the signal's reason, and the server is told to stop where it can be. */
  signal?: AbortSignal | undefined;
  /** How long the call may take, in milliseconds; 0 and `Infinity`: without end. */
  timeout?: number | undefined;
  /** Hears what the method tells about its progress. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What happens to events that come faster than they are consumed: all wait, or the newest, or some. */
export type BufferPolicy = 'all' | 'latest' | { keep: number; overflow: 'dropOldest' | 'dropNewest' | 'fail' };

export interface SubscribeOptions<Payload = unknown> {
  /** The topic's filter arguments, if it has any. */
  filter?: object | undefined;
  /** Hears each event; without it, events wait to be iterated over. */
  onEvent?: ((payload: Payload) => void) | undefined;
  /** Hears, once, that no events come any more, and why; not after `unsubscribe`, `signal` or leaving a loop. */
  onEnd?: ((error: unknown) => void) | undefined;
  /** For events that wait to be iterated over. Default: 1024, and `fail`. */
  buffer?: BufferPolicy | undefined;
  /** Called after a reconnect that may have lost events, with their number where the server knows it. */
  onGap?: ((missed: number | undefined) => void) | undefined;
  /** Ends the subscription. */
  signal?: AbortSignal | undefined;
}
