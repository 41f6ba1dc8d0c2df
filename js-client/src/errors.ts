// The errors that calls, subscriptions and sessions end with.

/** The code of errors that are made by a client and never sent. */
export const CLIENT_ERROR = -32099;
export const AUTHENTICATION_FAILED = -32000;
export const TOO_LARGE = -32003;
export const DEADLINE_EXCEEDED = -32005;

/** What every error of this package is. */
export class WslinkError extends Error {
  override readonly name: string = 'WslinkError';
  declare readonly code: number;

  constructor(code: number, message: string, details?: ErrorOptions) {
    super(message, details);
    // `cause` among them, which stays as it is.
    Object.assign(this, { code }, details);
  }
}

/** The server answered a call with an error. */
export class CallError<Data = unknown> extends WslinkError {
  override readonly name: string = 'CallError';
  declare readonly data: Data;

  constructor(code: number, message: string, data: Data) {
    super(code, message, { data } as ErrorOptions);
  }
}

/** The server refused the secret. */
export class AuthenticationError extends CallError {
  override readonly name = 'AuthenticationError';

  constructor(message = 'Authentication failed', code = AUTHENTICATION_FAILED) {
    super(code, message, undefined);
  }
}

/** A call took longer than it was given. */
export class CallTimeout extends WslinkError {
  override readonly name = 'CallTimeout';
  /** Whether the server may have begun to execute the call. */
  declare readonly maybeExecuted: boolean;

  constructor(method: string, maybeExecuted: boolean) {
    super(DEADLINE_EXCEEDED, `${method} timed out`, { maybeExecuted } as ErrorOptions);
  }
}

/** An argument cannot be sent; the call was not executed. */
export class UnsupportedValue extends WslinkError {
  override readonly name = 'UnsupportedValue';
  /** Where it stands, such as `args[0].size`. */
  declare readonly path: string;

  constructor(path: string, why: string) {
    super(CLIENT_ERROR, `${path} ${why}`, { path } as ErrorOptions);
  }
}

/** A call is larger than the server takes; it was not executed. */
export class MessageTooLarge extends WslinkError {
  override readonly name = 'MessageTooLarge';
  /** The most bytes that the server takes in one message. */
  declare readonly limit: number;
  /** The bytes of this one. */
  declare readonly bytes: number;

  constructor(method: string, limit: number, bytes: number) {
    super(TOO_LARGE, `${method} has ${bytes} bytes; the server takes ${limit}`, { limit, bytes } as ErrorOptions);
  }
}

/** How a WebSocket ended: the members of a `CloseEvent` that tell something. */
export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** The connection ended, or could not be made. */
export class ConnectionLost extends WslinkError {
  override readonly name = 'ConnectionLost';
  /** Whether the server may have executed the call that this error ends. */
  declare readonly maybeExecuted: boolean;
  declare readonly close: CloseInfo | undefined;

  constructor(
    message: string,
    details: { maybeExecuted?: boolean; close?: CloseInfo | undefined; cause?: unknown } = {},
  ) {
    super(CLIENT_ERROR, message, { maybeExecuted: false, ...details } as ErrorOptions);
  }
}

/** The server sent something that breaks the protocol, or a value that cannot be shown. */
export class ProtocolError extends WslinkError {
  override readonly name = 'ProtocolError';

  constructor(message: string, cause?: unknown) {
    super(CLIENT_ERROR, message, { cause });
  }
}

/** A consumer of events fell further behind than its buffer policy allows. */
export class BufferOverflow extends WslinkError {
  override readonly name = 'BufferOverflow';

  constructor(topic: string, kept: number) {
    super(CLIENT_ERROR, `more than ${kept} events of ${topic} wait`);
  }
}

export function sessionClosed(): ConnectionLost {
  return new ConnectionLost('the session was closed');
}
