// The client of wslink servers: everything an application imports.
export type { Backoff } from './backoff.js';
export type { Binary } from './binary.js';
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
  WslinkError,
  type CloseInfo,
} from './errors.js';
export type { BufferPolicy, CallOptions, ConnectOptions, SocketLike, SubscribeOptions } from './options.js';
export type { Kwargs, Session } from './session.js';
export type { Subscription } from './subscription.js';
export { v1 } from './wire/v1.js';
export { v2 } from './wire/v2.js';
export type { Wire } from './wire/wire.js';
