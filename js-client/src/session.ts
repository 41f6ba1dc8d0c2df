// What an application holds: calls, subscriptions and the state of one lasting connection to a server.
import { createCalls } from './calls.js';
import { createConnector, type SessionState } from './connector.js';
import { CLIENT_ERROR, ConnectionLost, sessionClosed, UnsupportedValue, WslinkError } from './errors.js';
import { topicOf } from './messages.js';
import type { CallOptions, ConnectOptions, SubscribeOptions } from './options.js';
import { createRefresh } from './refresh.js';
import { guarded, reporter } from './report.js';
import { createFeed, dispose, type Feed, type Subscription } from './subscription.js';
import { createSubscriptions } from './subscriptions.js';
import { duration } from './timer.js';
import { createTrace, type TraceEntry } from './trace.js';
import { prepared, type Binary } from './values.js';
import { onWake } from './wake.js';

// Results, progress and payloads are `any` unless the caller says otherwise, as in the stock client.

/** The keyword arguments of a call. */
export type Kwargs = Readonly<Record<string, unknown>>;

/** Its methods can be taken apart, as those of the stock session. */
export interface Session {
  readonly url: string;
  /** Settles with the first connection, or rejects with the error that ended the session before. */
  readonly ready: Promise<Session>;
  readonly state: SessionState;
  /** What the server calls this client, while connected. */
  readonly clientId: string | undefined;
  /** The extensions of the protocol in force; none with a stock server. */
  readonly extensions: ReadonlySet<string>;
  /** What the server tells about its limits. */
  readonly limits: Readonly<Record<string, number>>;
  /** Hears each change of `state`, until the function that is returned is called. */
  onStateChange(listener: (state: SessionState) => void): () => void;
  /**
   * Calls a method. Rejects with `CallError`, `UnsupportedValue`, `MessageTooLarge`, `CallTimeout`, `ConnectionLost`,
   * `ProtocolError` or the reason of an aborted signal.
   * Binary data may stand anywhere in the arguments and comes back as `Uint8Array`.
   */
  call<Result = any, Progress = any>(
    method: string,
    args?: readonly unknown[],
    kwargs?: Kwargs,
    options?: CallOptions<Progress>,
  ): Promise<Result>;
  /** Subscribes in the stock form: the callback hears each event as the only member of an array. */
  subscribe<Payload = any>(topic: string, callback: (args: [Payload]) => void): Subscription<Payload>;
  /** Subscribes, also again after a reconnect; events go to `onEvent` or wait to be iterated over. */
  subscribe<Payload = any>(topic: string, options?: SubscribeOptions<Payload>): Subscription<Payload>;
  /** Ends the subscription of this topic with this callback. */
  unsubscribe(subscription: { topic: string; callback?: unknown }): Promise<void>;
  /** As in the stock client; here binary data may as well stand in the arguments itself. */
  addAttachment<Payload extends Binary>(payload: Payload): Payload;
  /** The OpenRPC document that describes the server, where it gives one. */
  manifest(): Promise<unknown>;
  /** Connects at once if the session waits for its next attempt; asks the server for a sign of life if it is connected. */
  reconnectNow(): void;
  /** Shows the newest calls, events and states as a table in the console, and returns them. */
  debug(): readonly TraceEntry[];
  /** Ends the session for good. */
  close(): Promise<void>;
  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export function createSession(url: string, options: ConnectOptions): Session {
  const { waitForConnection = true, timeout: usualTimeout = 0, connectTimeout, maxMessageBytes } = options;
  const numbers = { timeout: usualTimeout, connectTimeout, maxMessageBytes };
  for (const [name, value] of Object.entries({ ...numbers, ...Object(options.ping), ...Object(options.reconnect) })) {
    duration(name, (value ?? 0) as number);
  }
  const listeners = new Set<(state: SessionState) => void>();
  const report = reporter(options.onError);
  const trace = createTrace();
  const calls = createCalls(report, trace);
  const subscriptions = createSubscriptions(calls.system, report);

  const connector = createConnector(url, options, {
    greeting: subscriptions.greeting,
    connected(link, hello) {
      calls.connected(link, hello);
      subscriptions.connected(hello);
      refresh.admitted(hello);
      calls.flush();
    },
    opened: subscriptions.opened,
    message(message) {
      const topic = topicOf(message);
      if (topic === undefined) return calls.receive(message);
      trace.add('event', topic);
      subscriptions.deliver(topic, message);
    },
    dropped(error) {
      refresh.stop();
      subscriptions.dropped();
      calls.dropped(error);
      // Those that a closing socket did not take.
      if (!waitForConnection) calls.refuseWaiting(error);
    },
    state(state) {
      trace.add('state', state.status);
      if (state.status === 'closed') {
        sleep();
        calls.refuseWaiting(state.error ?? sessionClosed());
        subscriptions.closed(state.error);
      }
      // One that was taken away meanwhile is not visited.
      for (const listener of [...listeners]) if (listeners.has(listener)) guarded(report, {}, () => listener(state));
    },
    // Neither waits behind data; a server without `cancel` answers that it does not know the method.
    probe: () =>
      calls.extensions.has('cancel') ? calls.system('wslink.cancel', [''], {}) : calls.system('wslink.ping', [], {}),
    // Stock servers answer nothing while they execute a call.
    isFree: () => calls.extensions.size > 0 || !calls.areInFlight(),
  });
  const refresh = createRefresh(connector.secret, calls.system, subscriptions.renewed);
  const sleep = onWake(connector.wake);

  const call = async (
    kind: string,
    method: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    { signal, timeout = usualTimeout, onProgress }: CallOptions<any> = {},
  ): Promise<any> => {
    signal?.throwIfAborted();
    const { status } = connector.state;
    if (status !== 'connected' && (!waitForConnection || status === 'closed')) {
      throw new ConnectionLost(`${method} was not called: no connection`);
    }
    return calls.call({
      kind,
      method,
      args: prepared(args, 'args') as unknown[],
      kwargs: prepared(kwargs, 'kwargs') as Kwargs,
      options: { signal, timeout: duration('timeout', timeout), onProgress },
    });
  };

  const close = async (): Promise<void> => connector.close();

  const onStateChange = (listener: (state: SessionState) => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  const ready = new Promise<Session>((resolve, reject) => {
    onStateChange((state) => {
      if (state.status === 'connected') resolve(session);
      if (state.status === 'closed') reject(state.error ?? sessionClosed());
    });
  });
  // Waiting for it is a choice.
  ready.catch(() => {});

  const session: Session = {
    url,
    ready,
    get state() {
      return connector.state;
    },
    get clientId() {
      return connector.state.status === 'connected' ? connector.state.clientId : undefined;
    },
    get extensions() {
      return calls.extensions;
    },
    get limits() {
      return calls.limits;
    },
    onStateChange,
    call: (...given) => call('rpc', ...given),
    subscribe(topic: string, how: ((args: [any]) => void) | SubscribeOptions<any> = {}): Subscription<any> {
      const [given, callback] = typeof how === 'function' ? [{}, how] : [how];
      const feed: Feed = createFeed(topic, given, callback, subscriptions.remove, report);
      try {
        given.signal?.throwIfAborted();
        if (connector.state.status === 'closed') throw connector.state.error ?? sessionClosed();
        feed.filter = filterOf(given.filter);
        subscriptions.add(feed);
      } catch (error) {
        feed.end(error);
      }
      return feed;
    },
    async unsubscribe({ topic, callback }) {
      if (!subscriptions.removeByCallback(topic, callback)) {
        throw new WslinkError(CLIENT_ERROR, `no subscription of ${topic} with this callback`);
      }
    },
    addAttachment: (payload) => payload,
    async manifest() {
      await ready;
      if (!calls.extensions.has('manifest')) throw new WslinkError(CLIENT_ERROR, 'the server gives no manifest');
      return call('system:c0', 'wslink.manifest');
    },
    reconnectNow: connector.wake,
    debug() {
      const entries = trace.entries();
      console.table(entries);
      return entries;
    },
    close,
    [dispose]: close,
  };
  connector.connect();
  return session;
}

/** Undefined where nothing is filtered. */
function filterOf(filter: object = {}): Kwargs | undefined {
  const ready = prepared(filter, 'filter');
  if (ready instanceof Promise) throw new UnsupportedValue('filter', 'has to be read first');
  return Object.keys(ready as object).length > 0 ? (ready as Kwargs) : undefined;
}
