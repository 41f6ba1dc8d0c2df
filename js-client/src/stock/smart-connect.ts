// `SmartConnect` as the stock client has it: connects to a known server, or has a launcher start one.
import type { CloseInfo } from '../errors.js';
import type { ConnectOptions } from '../options.js';
import type { Session } from '../session.js';
import { Event, type Listening } from './event.js';
import { ProcessLauncher, type LaunchConfig } from './process-launcher.js';
import type { WebsocketConnection, WebsocketConnectionClass } from './websocket-connection.js';

/** Members that are not listed go to the launcher as they are. */
export interface SmartConnectConfig extends LaunchConfig {
  /** The server, if it is known; `USE_HOSTNAME` and `USE_HOST` stand for those of the page. */
  sessionURL?: string;
  /** The launcher that is asked otherwise. Default: `paraview/` beside the page. */
  sessionManagerURL?: string;
  secret?: string;
  wsProxy?: boolean;
  iframe?: boolean;
  /** Not in the stock client: whether and how to connect again after a drop. Default: false. */
  reconnect?: NonNullable<ConnectOptions['reconnect']>;
}

type Decorator = (config: SmartConnectConfig) => SmartConnectConfig;

export interface SmartConnect {
  connect(): void;
  getSession(): Session | null;
  getConfig(): SmartConnectConfig;
  getConfigDecorator(): Decorator | null | undefined;
  setConfigDecorator(decorator: Decorator): void;
  onConnectionReady(callback: (connection: WebsocketConnection) => void): Listening;
  /** Without a connection, the first argument is the launcher's answer. */
  onConnectionError(callback: (source: unknown, error: unknown) => void): Listening;
  onConnectionClose(callback: (connection: WebsocketConnection, close: CloseInfo) => void): Listening;
  destroy(timeout?: number): void;
}

export interface SmartConnectValues {
  config?: SmartConnectConfig;
  configDecorator?: Decorator | null;
}

export interface SmartConnectClass {
  newInstance(values?: SmartConnectValues): SmartConnect;
}

export function smartConnect(connections: WebsocketConnectionClass): SmartConnectClass {
  return { newInstance: (values = {}) => Object.freeze(instance(values, connections)) };
}

function instance(
  { config = {}, configDecorator }: SmartConnectValues,
  connections: WebsocketConnectionClass,
): SmartConnect {
  const ready = new Event<[WebsocketConnection]>();
  const error = new Event<[unknown, unknown]>();
  const close = new Event<[WebsocketConnection, CloseInfo]>();
  let connection: WebsocketConnection | null = null;
  let launcher: ProcessLauncher | null = null;
  let decorator = configDecorator;

  const decorated = (given: SmartConnectConfig): SmartConnectConfig =>
    withPageNames(decorator ? decorator(given) : given);

  const connectTo = (urls: string | undefined): void => {
    const { secret, reconnect, wsProxy, iframe } = config;
    connection = connections.newInstance({ urls, secret, reconnect, wsProxy: wsProxy || iframe });
    connection.onConnectionReady((source) => ready.fire(source));
    connection.onConnectionError((source, failure) => error.fire(source, failure));
    connection.onConnectionClose((source, info) => close.fire(source, info));
    connection.connect();
  };

  const launch = (): void => {
    launcher = ProcessLauncher.newInstance({
      endPoint: config.sessionManagerURL ?? new URL('paraview/', document.baseURI).href,
    });
    launcher.onProcessReady((process) => {
      config = decorated({ ...config, ...process } as SmartConnectConfig);
      connectTo(config.sessionURL);
    });
    launcher.onError((failure) => {
      if (failure.response?.error) {
        error.fire(failure, failure.response.error);
        return;
      }
      // Without a launcher the page's own host is the server.
      config = { ...config, sessionURL: pageUrl() };
      connectTo(config.sessionURL);
    });
    launcher.start(config);
  };

  return {
    connect() {
      config = decorated(config);
      if (config.wsProxy) config = { ...config, sessionURL: config.sessionURL ?? 'wss://proxy/' };
      if (config.sessionURL) connectTo(config.sessionURL);
      else launch();
    },
    getSession: () => connection?.getSession() ?? null,
    getConfig: () => config,
    getConfigDecorator: () => decorator,
    setConfigDecorator: (given) => {
      decorator = given;
    },
    onConnectionReady: ready.on,
    onConnectionError: error.on,
    onConnectionClose: close.on,
    destroy(timeout = 0) {
      [ready, error, close].forEach((event) => event.clear());
      launcher?.destroy();
      connection?.destroy(timeout);
      connection = null;
    },
  };
}

function withPageNames(config: SmartConnectConfig): SmartConnectConfig {
  if (!config.sessionURL?.includes('USE_HOST')) return config;
  const { hostname, host } = window.location;
  return { ...config, sessionURL: config.sessionURL.replaceAll('USE_HOSTNAME', hostname).replaceAll('USE_HOST', host) };
}

/** `ws` beside the page. */
function pageUrl(): string {
  const { protocol, host, pathname } = window.location;
  const folder = pathname.replace(/\/[^/]*\.html?$/, '').replace(/\/+$/, '');
  return `${protocol === 'https:' ? 'wss:' : 'ws:'}//${host}${folder}/ws`;
}
