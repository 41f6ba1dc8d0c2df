// What an application holds: calls, subscriptions and the state of one lasting connection to a server.
import { Calls } from './calls.js';
import { Connector, type SessionState } from './connector.js';
import { CLIENT_ERROR, ConnectionLost, UnsupportedValue, WslinkError } from './errors.js';
import { topicOf, type Incoming } from './messages.js';
import type { CallOptions, ConnectOptions, SubscribeOptions } from './options.js';
import { Refresh } from './refresh.js';
import { guarded, reporter, type Report } from './report.js';
import { dispose, Feed, type Subscription } from './subscription.js';
import { Subscriptions } from './subscriptions.js';
import { duration } from './timer.js';
import { Trace, type TraceEntry } from './trace.js';
import { prepared, type Binary } from './values.js';
import { onWake } from './wake.js';

const EXTENSIONS = ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'];

// Results, progress and payloads are `any` unless the caller says otherwise, as in the stock client.

/** The keyword arguments of a call. */
export type Kwargs = Readonly<Record<string, unknown>>;

export class Session {
  readonly url: string;
  /** Settles with the first connection, or rejects with the error that ended the session before. */
  readonly ready: Promise<Session>;
  /** The same as `close`, for `await using`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;

  readonly #options: ConnectOptions;
  readonly #report: Report;
  readonly #trace = new Trace();
  readonly #connector: Connector;
  readonly #calls: Calls;
  readonly #subscriptions: Subscriptions;
  readonly #refresh: Refresh;
  readonly #sleep: () => void;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #extensions: ReadonlySet<string> = new Set();
  #limits: Readonly<Record<string, number>> = {};

  /** @internal */
  constructor(url: string, options: ConnectOptions) {
    const { timeout, connectTimeout, maxMessageBytes, ping, reconnect } = options;
    const numbers = { timeout, connectTimeout, maxMessageBytes, ...Object(ping), ...Object(reconnect) };
    for (const [name, value] of Object.entries(numbers)) duration(name, (value ?? 0) as number);
    this.url = url;
    this.#options = options;
    this.#report = reporter(options.onError);
    this.#calls = new Calls(this.#report, this.#trace);
    this.#subscriptions = new Subscriptions(this.#calls.system, this.#report);
    this.#connector = new Connector(url, options, {
      greeting: () => ({ extensions: EXTENSIONS, ...this.#subscriptions.greeting() }),
      connected: (link, hello) => {
        this.#extensions = hello.extensions;
        this.#limits = hello.limits;
        this.#calls.connected(link, hello);
        this.#subscriptions.connected(hello);
        this.#refresh.admitted(hello);
        this.#calls.flush();
      },
      opened: () => this.#subscriptions.opened(),
      message: (message) => this.#receive(message),
      dropped: (error) => {
        this.#refresh.stop();
        this.#subscriptions.dropped();
        this.#calls.dropped(error);
        // Those that a closing socket did not take.
        if (options.waitForConnection === false) this.#calls.refuseWaiting(error);
      },
      state: (state) => this.#tell(state),
      // Neither waits behind data; a server without `cancel` answers that it does not know the method.
      probe: () => {
        const cancel = this.#extensions.has('cancel');
        this.#calls.system(cancel ? 'wslink.cancel' : 'wslink.ping', cancel ? [''] : [], {});
      },
      // Stock servers answer nothing while they execute a call.
      isFree: () => this.#extensions.size > 0 || this.#calls.inFlight === 0,
    });
    this.#refresh = new Refresh(
      () => this.#connector.secret(),
      (secret) => ({ secret, extensions: EXTENSIONS }),
      this.#calls.system,
      (hello) => this.#subscriptions.renewed(hello),
    );
    this.ready = new Promise((resolve, reject) => {
      this.onStateChange((state) => {
        if (state.status === 'connected') resolve(this);
        if (state.status === 'closed') reject(state.error ?? closed());
      });
    });
    // Waiting for it is a choice.
    this.ready.catch(() => {});
    // The stock session can be taken apart.
    Object.assign(this, {
      call: this.call.bind(this),
      subscribe: this.subscribe.bind(this),
      unsubscribe: this.unsubscribe.bind(this),
      close: this.close.bind(this),
      [dispose]: this.close.bind(this),
    });
    this.#sleep = onWake(() => this.#connector.wake());
    this.#connector.connect();
  }

  get state(): SessionState {
    return this.#connector.state;
  }

  /** What the server calls this client, while connected. */
  get clientId(): string | undefined {
    return this.state.status === 'connected' ? this.state.clientId : undefined;
  }

  /** The extensions of the protocol in force; none with a stock server. */
  get extensions(): ReadonlySet<string> {
    return this.#extensions;
  }

  /** What the server tells about its limits. */
  get limits(): Readonly<Record<string, number>> {
    return this.#limits;
  }

  /** Hears each change of `state`, until the function that is returned is called. */
  onStateChange(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls a method. Rejects with `CallError`, `UnsupportedValue`, `MessageTooLarge`, `CallTimeout`, `ConnectionLost`,
   * `ProtocolError` or the reason of an aborted signal.
   * Binary data may stand anywhere in the arguments and comes back as `Uint8Array`.
   */
  async call<Result = any, Progress = any>(
    method: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: CallOptions<Progress> = {},
  ): Promise<Result> {
    const { signal, timeout = this.#options.timeout ?? 0, onProgress } = options;
    signal?.throwIfAborted();
    this.#assertCallable(method);
    return this.#calls.call({
      method,
      args: prepared(args, 'args') as unknown[],
      kwargs: prepared(kwargs, 'kwargs') as Kwargs,
      options: { signal, timeout: duration('timeout', timeout), onProgress },
    }) as Promise<Result>;
  }

  /** Subscribes in the stock form: the callback hears each event as the only member of an array. */
  subscribe<Payload = any>(topic: string, callback: (args: [Payload]) => void): Subscription<Payload>;
  /** Subscribes, also again after a reconnect; events go to `onEvent` or wait to be iterated over. */
  subscribe<Payload = any>(topic: string, options?: SubscribeOptions<Payload>): Subscription<Payload>;
  subscribe(topic: string, how: ((args: [any]) => void) | SubscribeOptions<any> = {}): Subscription<any> {
    const leave = (feed: Feed): void => this.#subscriptions.remove(feed);
    const [options, callback]: [SubscribeOptions<any>, ((args: [any]) => void) | undefined] =
      typeof how === 'function' ? [{}, how] : [how, undefined];
    const feed = new Feed(topic, options, callback, leave, this.#report);
    const state = this.state;
    try {
      options.signal?.throwIfAborted();
      if (state.status === 'closed') throw state.error ?? closed();
      feed.filter = filterOf(options.filter);
      this.#subscriptions.add(feed);
    } catch (error) {
      feed.end(error);
    }
    return feed;
  }

  /** Ends the subscription of this topic with this callback. */
  async unsubscribe({ topic, callback }: { topic: string; callback?: unknown }): Promise<void> {
    if (!this.#subscriptions.removeByCallback(topic, callback)) {
      throw new WslinkError(CLIENT_ERROR, `no subscription of ${topic} with this callback`);
    }
  }

  /** As in the stock client; here binary data may as well stand in the arguments itself. */
  addAttachment<Payload extends Binary>(payload: Payload): Payload {
    return payload;
  }

  /** The OpenRPC document that describes the server, where it gives one. */
  async manifest(): Promise<unknown> {
    await this.ready;
    if (!this.#extensions.has('manifest')) throw new WslinkError(CLIENT_ERROR, 'the server gives no manifest');
    const method = 'wslink.manifest';
    this.#assertCallable(method);
    const { timeout } = this.#options;
    return this.#calls.call({ method, args: [], kwargs: {}, options: { timeout }, kind: 'system' });
  }

  /** Connects at once if the session waits for its next attempt; asks the server for a sign of life if it is connected. */
  reconnectNow(): void {
    this.#connector.wake();
  }

  /** Shows the newest calls, events and states as a table in the console, and returns them. */
  debug(): readonly TraceEntry[] {
    const entries = this.#trace.entries();
    console.table(entries);
    return entries;
  }

  /** Ends the session for good. */
  async close(): Promise<void> {
    this.#connector.close();
  }

  #assertCallable(method: string): void {
    const { waitForConnection = true } = this.#options;
    const { status } = this.state;
    if (status === 'connected' || (waitForConnection && status !== 'closed')) return;
    throw new ConnectionLost(`${method} was not called: no connection`);
  }

  #receive(message: Incoming): void {
    const topic = topicOf(message);
    if (topic === undefined) return this.#calls.receive(message);
    this.#trace.add('event', topic);
    this.#subscriptions.deliver(topic, message);
  }

  #tell(state: SessionState): void {
    this.#trace.add('state', state.status);
    if (state.status === 'closed') {
      this.#sleep();
      this.#calls.refuseWaiting(state.error ?? closed());
      this.#subscriptions.closed(state.error);
    }
    for (const listener of [...this.#listeners]) {
      if (this.#listeners.has(listener)) guarded(this.#report, {}, () => listener(state));
    }
  }
}

/** Undefined where nothing is filtered. */
function filterOf(filter: object = {}): Kwargs | undefined {
  const ready = prepared(filter, 'filter');
  if (ready instanceof Promise) throw new UnsupportedValue('filter', 'has to be read first');
  return Object.keys(ready as object).length > 0 ? (ready as Kwargs) : undefined;
}

function closed(): ConnectionLost {
  return new ConnectionLost('the session was closed');
}
