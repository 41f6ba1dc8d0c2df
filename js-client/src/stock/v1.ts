// Stands in for the npm package `wslink` 1.x, in which binary data comes as `Blob`.
import { v1Presenting } from '../wire/v1.js';
import { smartConnect, type SmartConnectClass } from './smart-connect.js';
import { websocketConnection, type WebsocketConnectionClass } from './websocket-connection.js';

export { ProcessLauncher } from './process-launcher.js';
export type { SmartConnectConfig } from './smart-connect.js';

export const WebsocketConnection: WebsocketConnectionClass = /* @__PURE__ */ websocketConnection(
  /* @__PURE__ */ v1Presenting((bytes) => new Blob([bytes])),
);
export const SmartConnect: SmartConnectClass = /* @__PURE__ */ smartConnect(WebsocketConnection);
