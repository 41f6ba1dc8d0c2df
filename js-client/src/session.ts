// What an application holds: calls, subscriptions and the state of one lasting connection to a server.
import { withBytes, type Binary } from './binary.js';
import { Calls } from './calls.js';
import { Connector, type SessionState } from './connector.js';
import { CLIENT_ERROR, ConnectionLost, WslinkError } from './errors.js';
import { topicOf, type Incoming } from './messages.js';
import type { CallOptions, ConnectOptions, SubscribeOptions } from './options.js';
import { Refresh } from './refresh.js';
import { report } from './report.js';
import { Feed, type Subscription } from './subscription.js';
import { Subscriptions } from './subscriptions.js';

const EXTENSIONS = ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'];

// Results, progress and payloads are `any` unless the caller says otherwise, as in the stock client.

/** The keyword arguments of a call. */
export type Kwargs = Readonly<Record<string, unknown>>;

export class Session {
  readonly url: string;
  /** Settles with the first connection, or rejects with the error that ended the session before. */
  readonly ready: Promise<Session>;

  readonly #options: ConnectOptions;
  readonly #connector: Connector;
  readonly #calls = new Calls();
  readonly #subscriptions = new Subscriptions(this.#calls.system);
  readonly #refresh: Refresh;
  readonly #listeners = new Set<(state: SessionState) => void>();
  #extensions: ReadonlySet<string> = new Set();
  #limits: Readonly<Record<string, number>> = {};

  /** @internal */
  constructor(url: string, options: ConnectOptions) {
    this.url = url;
    this.#options = options;
    this.#connector = new Connector(url, options, {
      greeting: () => ({ extensions: EXTENSIONS, ...this.#subscriptions.greeting() }),
      connected: (link, hello) => {
        this.#extensions = new Set(hello.extensions);
        this.#limits = hello.limits ?? {};
        this.#calls.connected(link, this.#extensions);
        this.#subscriptions.connected(hello);
        this.#refresh.admitted(hello);
        this.#calls.flush();
      },
      message: (message) => this.#receive(message),
      dropped: (error) => {
        this.#refresh.stop();
        this.#subscriptions.dropped();
        this.#calls.dropped(error);
      },
      state: (state) => this.#tell(state),
    });
    this.#refresh = new Refresh(
      () => this.#connector.secret(),
      (secret) => ({ secret, extensions: EXTENSIONS }),
      this.#calls.system,
      (hello) => {
        this.#subscriptions.renewed(hello);
        this.#refresh.admitted(hello);
      },
    );
    this.ready = new Promise((resolve, reject) => {
      this.onStateChange((state) => {
        if (state.status === 'connected') resolve(this);
        if (state.status === 'closed') reject(state.error ?? new ConnectionLost('the session was closed'));
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
    });
    void this.#connector.connect();
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
   * Calls a method. Rejects with `CallError`, `MessageTooLarge`, `CallTimeout`, `ConnectionLost` or the reason of an aborted signal.
   * Binary data may stand anywhere in the arguments and comes back as `Uint8Array`.
   */
  call<Result = any, Progress = any>(
    method: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: CallOptions<Progress> = {},
  ): Promise<Result> {
    const { signal, timeout = this.#options.timeout, onProgress } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const unsent = this.#whyNotSent(method);
    if (unsent) return Promise.reject(unsent);
    return this.#calls.call(method, withBytes(args) as readonly unknown[], withBytes(kwargs) as Kwargs, {
      signal,
      timeout,
      onProgress,
    }) as Promise<Result>;
  }

  /** Subscribes in the stock form: the callback hears each event as the only member of an array. */
  subscribe<Payload = any>(topic: string, callback: (args: [Payload]) => void): Subscription<Payload>;
  /** Subscribes, also again after a reconnect; events go to `onEvent` or wait to be iterated over. */
  subscribe<Payload = any>(topic: string, options?: SubscribeOptions<Payload>): Subscription<Payload>;
  subscribe(topic: string, how: ((args: [any]) => void) | SubscribeOptions<any> = {}): Subscription<any> {
    const leave = (feed: Feed): void => this.#subscriptions.remove(feed);
    const feed = typeof how === 'function' ? new Feed(topic, {}, how, leave) : new Feed(topic, how, undefined, leave);
    const state = this.state;
    if (state.status === 'closed') feed.end(state.error ?? new ConnectionLost('the session was closed'));
    else if (typeof how !== 'function' && how.signal?.aborted) feed.end(how.signal.reason);
    else this.#subscriptions.add(feed);
    return feed;
  }

  /** Ends the subscription of this topic with this callback. */
  async unsubscribe({ topic, callback }: { topic: string; callback?: unknown }): Promise<void> {
    if (!this.#subscriptions.removeByCallback(topic, callback)) {
      throw new WslinkError(CLIENT_ERROR, `nobody subscribed to ${topic} with this callback`);
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
    const unsent = this.#whyNotSent('wslink.manifest');
    if (unsent) throw unsent;
    return this.#calls.call('wslink.manifest', [], {}, { timeout: this.#options.timeout }, 'system');
  }

  /** Ends the session for good. */
  async close(): Promise<void> {
    this.#connector.close();
  }

  #whyNotSent(method: string): ConnectionLost | undefined {
    const { waitForConnection = true } = this.#options;
    const { status } = this.state;
    if (status === 'connected' || (waitForConnection && status !== 'closed')) return undefined;
    return new ConnectionLost(`${method} was not called: the connection is not open`);
  }

  #receive(message: Incoming): void {
    const topic = topicOf(message);
    if (topic === undefined) this.#calls.receive(message);
    else this.#subscriptions.deliver(topic, message);
  }

  #tell(state: SessionState): void {
    if (state.status === 'closed') {
      this.#calls.closed(state.error ?? new ConnectionLost('the session was closed'));
      this.#subscriptions.closed(state.error);
    }
    for (const listener of [...this.#listeners]) report(() => listener(state));
  }
}
