// Stands in for the npm package `wslink` 2.x.
import { v2 } from '../wire/v2.js';
import { smartConnect, type SmartConnectClass } from './smart-connect.js';
import { websocketConnection, type WebsocketConnectionClass } from './websocket-connection.js';

export { ProcessLauncher } from './process-launcher.js';
export type { SmartConnectConfig } from './smart-connect.js';

export const WebsocketConnection: WebsocketConnectionClass = /* @__PURE__ */ websocketConnection(v2);
export const SmartConnect: SmartConnectClass = /* @__PURE__ */ smartConnect(WebsocketConnection);
