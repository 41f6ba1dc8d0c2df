// `WebsocketConnection` as the stock client has it: one session, with events instead of promises.
import type { SessionState } from '../connector.js';
import { ConnectionLost, WslinkError, type CloseInfo } from '../errors.js';
import type { ConnectOptions, SocketLike } from '../options.js';
import { createSession, type Session } from '../session.js';
import type { Wire } from '../wire/wire.js';
import { Event, type Listening } from './event.js';

export interface ConnectionConfig {
  urls?: string | readonly string[] | undefined;
  secret?: ConnectOptions['secret'] | undefined;
  /** Whether the page's global `WSLINK.createWebSocket` makes the socket. */
  wsProxy?: boolean | undefined;
  /** Not in the stock client: whether and how to connect again after a drop. Default: false. */
  reconnect?: ConnectOptions['reconnect'] | undefined;
}

export interface WebsocketConnection {
  /** Begins to connect; null without a usable URL. */
  connect(): Session | null;
  getSession(): Session | null;
  getUrl(): string | undefined;
  onConnectionReady(callback: (connection: WebsocketConnection) => void): Listening;
  onConnectionError(callback: (connection: WebsocketConnection, error: unknown) => void): Listening;
  onConnectionClose(callback: (connection: WebsocketConnection, close: CloseInfo) => void): Listening;
  /** Closes; a server of the stock command line is asked to end after `timeout` seconds unless that is 0. */
  destroy(timeout?: number): void;
}

export interface WebsocketConnectionClass {
  newInstance(config?: ConnectionConfig): WebsocketConnection;
}

const NO_STATUS: CloseInfo = { code: 1005, reason: '', wasClean: true };
const ABNORMAL: CloseInfo = { code: 1006, reason: '', wasClean: false };

export function websocketConnection(wire: Wire): WebsocketConnectionClass {
  return { newInstance: (config = {}) => Object.freeze(instance(config, wire)) };
}

function instance(
  { urls = [], secret, wsProxy, reconnect = false }: ConnectionConfig,
  wire: Wire,
): WebsocketConnection {
  const ready = new Event<[WebsocketConnection]>();
  const error = new Event<[WebsocketConnection, unknown]>();
  const close = new Event<[WebsocketConnection, CloseInfo]>();
  const [url] = [urls].flat();
  let session: Session | null = null;

  const heard = (state: SessionState): void => {
    if (state.status === 'connected') ready.fire(connection);
    if (state.status === 'closed' && !state.error) close.fire(connection, NO_STATUS);
    if ((state.status === 'closed' || state.status === 'waiting') && state.error) {
      const failure = failureOf(state.error);
      if (failure) error.fire(connection, failure);
      close.fire(connection, (state.error instanceof ConnectionLost && state.error.close) || ABNORMAL);
    }
  };

  const connection: WebsocketConnection = {
    connect() {
      if (url === undefined) return null;
      if (!/^wss?:/.test(url)) {
        error.fire(connection, new Error(`${url} is no address of a WebSocket`));
        return null;
      }
      if (session && session.state.status !== 'closed') return session;
      session = createSession(url, {
        wire,
        reconnect,
        waitForConnection: false,
        // As in the stock client, an empty secret counts as none.
        ...(secret ? { secret } : {}),
        ...(wsProxy ? { webSocket: proxySocket } : {}),
      });
      session.onStateChange(heard);
      return session;
    },
    getSession: () => session,
    getUrl: () => (session && session.state.status !== 'closed' ? session.url : undefined),
    onConnectionReady: ready.on,
    onConnectionError: error.on,
    onConnectionClose: close.on,
    destroy(timeout = 10) {
      // The answer may not come before the end of the connection.
      if (timeout > 0) session?.call('application.exit.later', [timeout]).catch(() => {});
      [ready, error, close].forEach((event) => event.clear());
      void session?.close();
      session = null;
    },
  };
  return connection;
}

/** What goes to `onConnectionError`: the socket's own event or the server's refusal; nothing for a mere end. */
function failureOf(error: WslinkError): unknown {
  if (!(error instanceof ConnectionLost)) return error;
  return error.cause ?? (error.close ? undefined : error);
}

function proxySocket(url: string): SocketLike {
  const { WSLINK } = globalThis as unknown as { WSLINK: { createWebSocket(url: string): SocketLike } };
  return WSLINK.createWebSocket(url);
}
