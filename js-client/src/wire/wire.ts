// What a generation of the protocol does: messages to frames and back.
import type { Incoming, Request } from '../messages.js';

export type Frame = string | Uint8Array<ArrayBuffer>;

/** A generation of the protocol; `v1` and `v2` are the ones there are. */
export interface Wire {
  readonly name: string;
  /** The state of one connection. */
  codec(): Codec;
}

export interface Codec {
  /** The frames of a message, in the order of sending. */
  encode(message: Request): Frame[];
  /** The message that a frame completes, if it completes one; throws `ProtocolError` for what is no message. */
  decode(frame: string | ArrayBuffer): Incoming | undefined;
  /** Tells the largest frame that the server accepts. */
  limitFrames(bytes: number): void;
}
