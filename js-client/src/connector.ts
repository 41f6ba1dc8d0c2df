// Keeps a session connected: opens links, waits between attempts, and tells in what state that is.
import { delayBefore, RESET_AFTER, type Backoff } from './backoff.js';
import { AuthenticationError, CLIENT_ERROR, ConnectionLost, WslinkError } from './errors.js';
import { Link } from './link.js';
import { Liveness } from './liveness.js';
import type { Hello, Incoming } from './messages.js';
import type { ConnectOptions, SocketLike } from './options.js';
import { after, now, type Timer } from './timer.js';
import { prepared } from './values.js';
import { v2 } from './wire/v2.js';

/** What a session does about its connection at the moment. */
export type SessionState =
  | { readonly status: 'connecting'; readonly attempt: number }
  /** `resumed`: whether the server remembered the connection before and sent on what was missed. */
  | { readonly status: 'connected'; readonly clientId: string; readonly resumed: boolean }
  | { readonly status: 'waiting'; readonly attempt: number; readonly delay: number; readonly error: WslinkError }
  /** For good; without an error because it was asked for. */
  | { readonly status: 'closed'; readonly error?: WslinkError };

export interface ConnectorEvents {
  /** What hello says besides the secret. */
  greeting(): object;
  /** The state is `connected`, and nobody was told yet. */
  connected(link: Link, hello: Hello): void;
  /** The state was told. */
  opened(): void;
  message(message: Incoming): void;
  /** Called once for each `connected`; the state is another one already. */
  dropped(error: WslinkError): void;
  /** Called in the order of the states, never from within itself. */
  state(state: SessionState): void;
  /** Makes the server send something. */
  probe(): void;
  /** Whether the server has nothing to do that could keep it from answering. */
  isFree(): boolean;
}

interface Attempt {
  link?: Link;
  readonly timer: Timer;
  readonly aborter: AbortController;
}

/** In milliseconds. */
const CONNECT_TIMEOUT = 10_000;
const MAX_MESSAGE_BYTES = 512 << 20;
const SECRET = 'wslink-secret';

export class Connector {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #backoff: Backoff | undefined;
  readonly #events: ConnectorEvents;
  readonly #liveness: Liveness | undefined;
  /** Told apart from those before by identity. */
  #attemptNow: Attempt | undefined;
  #retry: Timer | undefined;
  #attempt = 0;
  #connectedAt = 0;
  /** The secret that the server refused last. */
  #refused: { readonly secret: string; readonly error: AuthenticationError } | undefined;
  #secretSaid = '';
  #state: SessionState = { status: 'connecting', attempt: 0 };
  readonly #untold: SessionState[] = [];

  constructor(url: string, options: ConnectOptions, events: ConnectorEvents) {
    const { reconnect = true, ping = {} } = options;
    this.#url = url;
    this.#options = options;
    this.#backoff = reconnect === true ? {} : reconnect || undefined;
    this.#events = events;
    if (ping) {
      const dead = (): void => this.#attemptNow?.link?.end(new ConnectionLost('the server fell silent'));
      this.#liveness = new Liveness(ping, events.probe, events.isFree, dead);
    }
  }

  get state(): SessionState {
    return this.#state;
  }

  connect(): void {
    const { connectTimeout = CONNECT_TIMEOUT } = this.#options;
    this.#retry?.clear();
    const aborter = new AbortController();
    const late = (): void => this.#ended(attempt, new ConnectionLost('the connection was not made in time'));
    const attempt: Attempt = { aborter, timer: after(connectTimeout || Infinity, late) };
    this.#attemptNow = attempt;
    this.#become({ status: 'connecting', attempt: this.#attempt });
    if (this.#attemptNow === attempt) void this.#open(attempt);
  }

  /** Connects at once if it waits, else asks the server whether the connection is alive. */
  wake(): void {
    if (this.#state.status === 'waiting') this.connect();
    else if (this.#state.status === 'connected') this.#liveness?.check();
  }

  /** What to be admitted with at the moment. */
  async secret(signal?: AbortSignal): Promise<string> {
    const { secret = SECRET } = this.#options;
    if (typeof secret === 'string') return secret;
    return secret({ refused: this.#refused?.error, signal: signal ?? new AbortController().signal });
  }

  close(): void {
    this.#finish(undefined);
  }

  async #open(attempt: Attempt): Promise<void> {
    const { wire = v2, maxMessageBytes = MAX_MESSAGE_BYTES } = this.#options;
    try {
      const secret = await this.secret(attempt.aborter.signal);
      if (this.#attemptNow !== attempt) return;
      // Whoever gives the same secret again has no other one.
      if (this.#refused?.secret === secret) return this.#finish(this.#refused.error);
      this.#secretSaid = secret;
      const greeting = prepared({ secret, ...this.#events.greeting() }, 'hello') as object;
      const link: Link = new Link(this.#socket(), wire, maxMessageBytes, greeting, {
        ready: (hello) => this.#ready(attempt, link, hello),
        message: this.#events.message,
        heard: () => this.#liveness?.heard(),
        end: (error) => this.#ended(attempt, error),
      });
      attempt.link = link;
    } catch (cause) {
      if (cause instanceof Unopenable)
        this.#finish(new WslinkError(CLIENT_ERROR, cause.message, { cause: cause.cause }));
      else this.#ended(attempt, new ConnectionLost('the connection could not be made', { cause }));
    }
  }

  /** Throws `Unopenable` for what another attempt would not change. */
  #socket(): SocketLike {
    const { webSocket } = this.#options;
    if (!webSocket && typeof WebSocket === 'undefined') {
      throw new Unopenable('no WebSocket here: pass `webSocket`, as of the package ws');
    }
    try {
      return webSocket ? webSocket(this.#url) : new WebSocket(this.#url);
    } catch (cause) {
      // An invalid URL, or one that the page may not open.
      const { name } = Object(cause) as { name?: unknown };
      if (webSocket && name !== 'SyntaxError' && name !== 'SecurityError') throw cause;
      throw new Unopenable(`${this.#url}: ${String(cause)}`, { cause });
    }
  }

  #ready(attempt: Attempt, link: Link, hello: Hello): void {
    if (this.#attemptNow !== attempt) return;
    attempt.timer.clear();
    this.#refused = undefined;
    this.#connectedAt = now();
    // Callbacks of users may run from here on, and each may close the session.
    this.#state = { status: 'connected', clientId: hello.clientID, resumed: Boolean(hello.resumed) };
    this.#events.connected(link, hello);
    if (this.#attemptNow !== attempt) return;
    this.#liveness?.start();
    this.#become(this.#state);
    if (this.#attemptNow === attempt) this.#events.opened();
  }

  #ended(attempt: Attempt, error: WslinkError): void {
    if (this.#attemptNow !== attempt) return;
    const { secret } = this.#options;
    const { attempts = Infinity, resetAfter = RESET_AFTER } = this.#backoff ?? {};
    const lasted = this.#state.status === 'connected' && now() - this.#connectedAt >= resetAfter;
    this.#attempt = lasted ? 1 : this.#attempt + 1;
    const refused = error instanceof AuthenticationError;
    if (refused) this.#refused = { secret: this.#secretSaid, error };
    const final = refused && typeof secret !== 'function';
    if (!this.#backoff || final || this.#attempt > attempts) return this.#finish(error);
    const delay = delayBefore(this.#attempt, this.#backoff);
    this.#leave(error, { status: 'waiting', attempt: this.#attempt, delay, error });
    if (this.#state.status === 'waiting') this.#retry = after(delay, () => this.connect());
  }

  #finish(error: WslinkError | undefined): void {
    if (this.#state.status === 'closed') return;
    this.#leave(error ?? new ConnectionLost('the session was closed'), { status: 'closed', ...(error && { error }) });
  }

  /** Leaves the present attempt or connection for another state. */
  #leave(error: WslinkError, next: SessionState): void {
    const { status } = this.#state;
    const left = this.#attemptNow;
    this.#attemptNow = undefined;
    this.#retry?.clear();
    left?.timer.clear();
    left?.aborter.abort(error);
    this.#liveness?.stop();
    this.#state = next;
    left?.link?.end(error);
    if (status === 'connected') this.#events.dropped(error);
    this.#become(next);
  }

  /** What a listener does to the state is told after what it was called for. */
  #become(state: SessionState): void {
    this.#state = state;
    if (this.#untold.push(state) > 1) return;
    while (this.#untold[0]) {
      this.#events.state(this.#untold[0]);
      this.#untold.shift();
    }
  }
}

/** An attempt that need not be repeated. */
class Unopenable extends Error {}
