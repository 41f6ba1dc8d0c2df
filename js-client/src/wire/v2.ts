// The second generation: MessagePack in chunks, with binary data as part of the message.
import { Decoder, Encoder } from '@msgpack/msgpack';
import { ProtocolError } from '../errors.js';
import type { Incoming, Request } from '../messages.js';
import { Assembly, cut } from './chunks.js';
import type { Codec, Frame, Wire } from './wire.js';

/** What a server accepts that does not tell. */
const FRAME_BYTES = 512 * 1024;

/** The second generation, spoken by Python servers since 2.0. */
export const v2: Wire = { name: 'v2', codec: () => new MessagePackCodec() };

class MessagePackCodec implements Codec {
  // Members that are undefined are left out, as JSON does.
  readonly #encoder = new Encoder({ ignoreUndefined: true });
  readonly #decoder = new Decoder();
  readonly #assembly = new Assembly();
  #sent = 0;
  #frameBytes = FRAME_BYTES;

  encode(message: Request): Frame[] {
    this.#sent = (this.#sent + 1) >>> 0;
    return cut(this.#encoder.encodeSharedRef(message), this.#sent, this.#frameBytes);
  }

  decode(frame: string | ArrayBuffer): Incoming | undefined {
    if (typeof frame === 'string') return undefined;
    const packed = this.#assembly.add(frame);
    if (!packed) return undefined;
    let message: unknown;
    try {
      message = this.#decoder.decode(packed);
    } catch (cause) {
      throw new ProtocolError('a message is no MessagePack', cause);
    }
    if (typeof message !== 'object' || message === null) throw new ProtocolError('a message is no map');
    return typeof (message as Partial<Incoming>).id === 'string' ? (message as Incoming) : undefined;
  }

  limitFrames(bytes: number): void {
    this.#frameBytes = bytes;
  }
}
