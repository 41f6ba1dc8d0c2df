// Keeps a session connected: opens links, waits between attempts, and tells in what state that is.
import { delayBefore, RESET_AFTER } from './backoff.js';
import { AuthenticationError, CLIENT_ERROR, ConnectionLost, sessionClosed, WslinkError } from './errors.js';
import { createLink, type Link } from './link.js';
import { createLiveness } from './liveness.js';
import { EXTENSIONS, type Hello, type Incoming } from './messages.js';
import type { ConnectOptions, SocketLike } from './options.js';
import { after, now } from './timer.js';
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
  /** What hello says besides the secret and the extensions. */
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

export interface Connector {
  readonly state: SessionState;
  connect(): void;
  /** Connects at once if it waits, else asks the server whether the connection is alive. */
  wake(): void;
  /** What to be admitted with at the moment. */
  secret(signal?: AbortSignal): Promise<string>;
  close(): void;
}

export function createConnector(url: string, options: ConnectOptions, events: ConnectorEvents): Connector {
  const { secret = 'wslink-secret', connectTimeout = 10_000, reconnect = true, ping = {} } = options;
  const { wire = v2, maxMessageBytes = 512 << 20, webSocket } = options;
  const backoff = reconnect === true ? {} : reconnect || undefined;
  const { attempts = Infinity, resetAfter = RESET_AFTER } = backoff ?? {};
  /** Told apart from those before by identity. */
  let attempt: AbortController | undefined;
  let link: Link | undefined;
  /** Ends the time for the present attempt, or the wait for the next one. */
  let cancel = (): void => {};
  let failures = 0;
  let connectedAt = 0;
  /** The secret that the server refused last. */
  let refused: { readonly secret: string; readonly error: AuthenticationError } | undefined;
  let said = '';
  let state: SessionState = { status: 'connecting', attempt: 0 };
  const untold: SessionState[] = [];
  const liveness =
    ping &&
    createLiveness(ping, events.probe, events.isFree, () => link?.end(new ConnectionLost('the server fell silent')));

  const connect = (): void => {
    cancel();
    const made = (attempt = new AbortController());
    cancel = after(connectTimeout || Infinity, () =>
      ended(made, new ConnectionLost('the connection was not made in time')),
    );
    become({ status: 'connecting', attempt: failures });
    if (attempt === made) void open(made);
  };

  const askSecret = async (signal = new AbortController().signal): Promise<string> =>
    typeof secret === 'string' ? secret : secret({ refused: refused?.error, signal });

  const open = async (made: AbortController): Promise<void> => {
    try {
      const given = await askSecret(made.signal);
      if (attempt !== made) return;
      // Whoever gives the same secret again has no other one.
      if (refused?.secret === given) return finish(refused.error);
      said = given;
      const greeting = prepared({ secret: given, extensions: EXTENSIONS, ...events.greeting() }, 'hello') as object;
      const socket = openSocket();
      if (socket instanceof WslinkError) return finish(socket);
      const opened: Link = createLink(socket, wire, maxMessageBytes, greeting, {
        ready: (hello) => ready(made, opened, hello),
        message: events.message,
        heard: () => liveness && liveness.heard(),
        end: (error) => ended(made, error),
      });
      link = opened;
    } catch (cause) {
      ended(made, new ConnectionLost('the connection could not be made', { cause }));
    }
  };

  /** Returns an error that another attempt would not change. */
  const openSocket = (): SocketLike | WslinkError => {
    if (!webSocket && typeof WebSocket === 'undefined') {
      return new WslinkError(CLIENT_ERROR, 'no WebSocket here: pass `webSocket`, as of the package ws');
    }
    try {
      return webSocket ? webSocket(url) : new WebSocket(url);
    } catch (cause) {
      // An invalid URL, or one that the page may not open.
      const { name } = Object(cause) as { name?: unknown };
      if (webSocket && !/^(Syntax|Security)Error$/.test(String(name))) throw cause;
      return new WslinkError(CLIENT_ERROR, `${url}: ${String(cause)}`, { cause });
    }
  };

  const ready = (made: AbortController, opened: Link, hello: Hello): void => {
    if (attempt !== made) return;
    cancel();
    refused = undefined;
    connectedAt = now();
    // Callbacks of users may run from here on, and each may close the session.
    const connected = { status: 'connected', clientId: hello.clientID, resumed: Boolean(hello.resumed) } as const;
    state = connected;
    events.connected(opened, hello);
    if (attempt !== made) return;
    if (liveness) liveness.start();
    become(connected);
    if (attempt === made) events.opened();
  };

  const ended = (made: AbortController, error: WslinkError): void => {
    if (attempt !== made) return;
    const lasted = state.status === 'connected' && now() - connectedAt >= resetAfter;
    failures = lasted ? 1 : failures + 1;
    const isRefusal = error instanceof AuthenticationError;
    if (isRefusal) refused = { secret: said, error };
    if (!backoff || failures > attempts || (isRefusal && typeof secret === 'string')) return finish(error);
    const delay = delayBefore(failures, backoff);
    leave(error, { status: 'waiting', attempt: failures, delay, error });
    if (state.status === 'waiting') cancel = after(delay, connect);
  };

  const finish = (error?: WslinkError): void => {
    if (state.status === 'closed') return;
    leave(error ?? sessionClosed(), { status: 'closed', ...(error && { error }) });
  };

  /** Leaves the present attempt or connection for another state. */
  const leave = (error: WslinkError, next: SessionState): void => {
    const { status } = state;
    const [leftAttempt, leftLink] = [attempt, link];
    attempt = link = undefined;
    cancel();
    if (liveness) liveness.stop();
    state = next;
    leftLink?.end(error);
    if (status === 'connected') events.dropped(error);
    become(next);
    // Last, as its listeners may close the session.
    leftAttempt?.abort(error);
  };

  /** What a listener does to the state is told after what it was called for. */
  const become = (next: SessionState): void => {
    state = next;
    if (untold.push(next) > 1) return;
    while (untold[0]) {
      events.state(untold[0]);
      untold.shift();
    }
  };

  return {
    get state() {
      return state;
    },
    connect,
    wake() {
      if (state.status === 'waiting') connect();
      else if (liveness) liveness.check();
    },
    secret: askSecret,
    close: () => finish(),
  };
}
