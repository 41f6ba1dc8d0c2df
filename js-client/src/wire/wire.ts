// What a version of the protocol does: messages to frames and back.
import type { Incoming, Request } from '../messages.js';

/** @internal */
export type Frame = string | Uint8Array<ArrayBuffer>;

/** A version of the protocol: `v1` or `v2`. */
export interface Wire {
  readonly name: string;
  /** @internal The state of one connection, which holds at most `maxBytes` of what is incomplete. */
  codec(maxBytes: number): Codec;
}

/** @internal */
export interface Codec {
  /** The frames of a message, in the order of sending; throws `MessageTooLarge`. */
  encode(message: Request): Frame[];
  /** The message that a frame completes, if it completes one; throws `ProtocolError` where the connection cannot go on. */
  decode(frame: string | ArrayBuffer): Incoming | undefined;
  /** Tells the largest frame and message that the server takes, where it told. */
  limitFrames(frameBytes: number | undefined, messageBytes: number | undefined): void;
}
