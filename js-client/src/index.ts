// The client of wslink servers: everything an application imports.
export type { Backoff } from './backoff.js';
export { connect } from './connect.js';
export type { SessionState } from './connector.js';
export {
  AuthenticationError,
  BufferOverflow,
  CallError,
  CallTimeout,
  CLIENT_ERROR,
  ConnectionLost,
  MessageTooLarge,
  ProtocolError,
  UnsupportedValue,
  WslinkError,
  type CloseInfo,
} from './errors.js';
export type { Ping } from './liveness.js';
export type {
  BufferPolicy,
  CallOptions,
  ConnectOptions,
  SecretRequest,
  SocketLike,
  SubscribeOptions,
} from './options.js';
export type { ErrorContext } from './report.js';
export type { Kwargs, Session } from './session.js';
export type { Subscription } from './subscription.js';
export type { TraceEntry } from './trace.js';
export type { Binary } from './values.js';
export { v1 } from './wire/v1.js';
export { v2 } from './wire/v2.js';
export type { Wire } from './wire/wire.js';
