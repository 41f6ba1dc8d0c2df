// What can be said about a session, a call and a subscription.
import type { Backoff } from './backoff.js';
import type { Wire } from './wire/wire.js';

/** The part of the browser's `WebSocket` that a session uses. */
export type SocketLike = Pick<
  WebSocket,
  'binaryType' | 'readyState' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onerror' | 'onclose'
>;

export interface ConnectOptions {
  /** What the server asks for, or what gets it: called anew for each connection, and before it expires. */
  secret?: string | (() => string | Promise<string>);
  /** The generation of the protocol: `v2`, or `v1` for Python servers before 2.0. */
  wire?: Wire;
  /** Whether and how to connect again after a drop. Default: true. */
  reconnect?: boolean | Backoff;
  /** How long connecting and the greeting may take, in milliseconds. Default: 10,000. */
  connectTimeout?: number;
  /** The `timeout` of calls that give none. Default: none. */
  timeout?: number;
  /** Whether calls wait for a connection while there is none, or fail at once. Default: true. */
  waitForConnection?: boolean;
  /** Makes the socket, where there is no global `WebSocket` or a proxy stands in for it. */
  webSocket?: (url: string) => SocketLike;
}

export interface CallOptions<Progress = unknown> {
  /** Gives the call up: it rejects with the signal's reason, and the server is told to stop where it can be. */
  signal?: AbortSignal | undefined;
  /** How long the call may take, in milliseconds. */
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
  /** For events that wait to be iterated over. Default: `all`. */
  buffer?: BufferPolicy | undefined;
  /** Called after a reconnect that may have lost events, with their number where the server knows it. */
  onGap?: ((missed: number | undefined) => void) | undefined;
  /** Ends the subscription. */
  signal?: AbortSignal | undefined;
}
