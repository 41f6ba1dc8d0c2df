// Keeps a session connected: opens links, waits between attempts, and tells in what state that is.
import { delayBefore, type Backoff } from './backoff.js';
import { AuthenticationError, ConnectionLost, type WslinkError } from './errors.js';
import { Link } from './link.js';
import type { Hello, Incoming } from './messages.js';
import type { ConnectOptions, SocketLike } from './options.js';
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
  connected(link: Link, hello: Hello): void;
  message(message: Incoming): void;
  /** Called once for each `connected`. */
  dropped(error: WslinkError): void;
  state(state: SessionState): void;
}

export class Connector {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #backoff: Backoff | undefined;
  readonly #events: ConnectorEvents;
  #link: Link | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #state: SessionState = { status: 'connecting', attempt: 0 };

  constructor(url: string, options: ConnectOptions, events: ConnectorEvents) {
    const { reconnect = true } = options;
    this.#url = url;
    this.#options = options;
    this.#backoff = reconnect === true ? {} : reconnect || undefined;
    this.#events = events;
  }

  get state(): SessionState {
    return this.#state;
  }

  async connect(): Promise<void> {
    const { wire = v2, connectTimeout = 10_000, webSocket = browserSocket } = this.#options;
    this.#become({ status: 'connecting', attempt: this.#attempt });
    try {
      const secret = await this.secret();
      if (this.#state.status === 'closed') return;
      const greeting = { secret, ...this.#events.greeting() };
      const link: Link = new Link(webSocket(this.#url), wire, greeting, connectTimeout, {
        ready: (hello) => this.#ready(link, hello),
        message: this.#events.message,
        end: (error) => this.#ended(error),
      });
      this.#link = link;
    } catch (cause) {
      this.#ended(new ConnectionLost('the connection could not be made', { cause }));
    }
  }

  /** What to be admitted with at the moment. */
  secret(): string | Promise<string> {
    const { secret = 'wslink-secret' } = this.#options;
    return typeof secret === 'string' ? secret : secret();
  }

  close(): void {
    if (this.#state.status === 'closed') return;
    clearTimeout(this.#retry);
    if (this.#state.status === 'connected') this.#events.dropped(new ConnectionLost('the session was closed'));
    this.#become({ status: 'closed' });
    this.#link?.close();
  }

  #ready(link: Link, hello: Hello): void {
    this.#attempt = 0;
    this.#events.connected(link, hello);
    this.#become({ status: 'connected', clientId: hello.clientID, resumed: Boolean(hello.resumed) });
  }

  #ended(error: WslinkError): void {
    if (this.#state.status === 'closed') return;
    if (this.#state.status === 'connected') this.#events.dropped(error);
    this.#attempt += 1;
    const { attempts = Infinity } = this.#backoff ?? {};
    if (!this.#backoff || error instanceof AuthenticationError || this.#attempt > attempts) {
      this.#become({ status: 'closed', error });
      return;
    }
    const delay = delayBefore(this.#attempt, this.#backoff);
    this.#retry = setTimeout(() => void this.connect(), delay);
    this.#become({ status: 'waiting', attempt: this.#attempt, delay, error });
  }

  #become(state: SessionState): void {
    this.#state = state;
    this.#events.state(state);
  }
}

function browserSocket(url: string): SocketLike {
  return new WebSocket(url);
}
