// Version 2 of the protocol: MessagePack in chunks, with binary data as part of the message.
import { MessageTooLarge, ProtocolError } from '../errors.js';
import type { Incoming, Request } from '../messages.js';
import { Assembly, bytesOf, cut } from './chunks.js';
import { Packer } from './pack.js';
import { Reader } from './unpack.js';
import type { Codec, Frame, Wire } from './wire.js';

/** What a server accepts that does not tell. */
const FRAME_BYTES = 512 * 1024;

/** Version 2 of the protocol, spoken by Python servers since 2.0. */
export const v2: Wire = { name: 'v2', codec: (maxBytes) => new MessagePackCodec(maxBytes) };

class MessagePackCodec implements Codec {
  readonly #packer = new Packer();
  readonly #assembly: Assembly;
  #sent = 0;
  #frameBytes = FRAME_BYTES;
  // The header of a chunk has four bytes for it.
  #messageBytes = 2 ** 32 - 1;

  constructor(maxBytes: number) {
    this.#assembly = new Assembly(maxBytes);
  }

  encode(message: Request): Frame[] {
    const pieces = this.#packer.pack(message);
    const bytes = bytesOf(pieces);
    if (bytes > this.#messageBytes) throw new MessageTooLarge(message.method, this.#messageBytes, bytes);
    this.#sent = (this.#sent + 1) >>> 0;
    return cut(pieces, this.#sent, this.#frameBytes);
  }

  decode(frame: string | ArrayBuffer): Incoming | undefined {
    if (typeof frame === 'string') return undefined;
    const packed = this.#assembly.add(frame);
    return packed && messageOf([packed].flat());
  }

  limitFrames(frameBytes = FRAME_BYTES, messageBytes = this.#messageBytes): void {
    this.#frameBytes = frameBytes;
    this.#messageBytes = messageBytes;
  }
}

/** A message that says whose it is costs no other one, whatever is in it. */
function messageOf(chunks: Uint8Array[]): Incoming | undefined {
  const reader = new Reader(chunks);
  const members = new Map<unknown, unknown>();
  let problem: string | undefined;
  try {
    const length = reader.messageLength();
    if (length === undefined) throw new ProtocolError('a message is no map');
    for (let left = length; left > 0; left -= 1) members.set(reader.value(), reader.value());
    if (reader.left > 0) problem = 'a value is shorter than its message';
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    if (typeof members.get('id') !== 'string') throw new ProtocolError('a message is no MessagePack', error);
    problem = (error as Error).message;
  }
  problem ??= reader.problem;
  if (typeof members.get('id') !== 'string') return undefined;
  const message = Object.fromEntries(members) as unknown as Incoming;
  return problem === undefined ? message : { ...message, problem: new ProtocolError(problem) };
}
