// Cuts packed messages into chunks and puts chunks together, copying each byte once.
import { ProtocolError } from '../errors.js';

const HEADER = 12;

interface Partial {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly offsets: Set<number>;
  missing: number;
}

/** The frames of a packed message, each at most `frameBytes` long with its header. */
export function cut(packed: Uint8Array, id: number, frameBytes: number): Uint8Array<ArrayBuffer>[] {
  const contentBytes = Math.max(1, frameBytes - HEADER);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0; offset < packed.length; offset += contentBytes) {
    const content = packed.subarray(offset, offset + contentBytes);
    const frame = new Uint8Array(HEADER + content.length);
    const header = new DataView(frame.buffer);
    [id, offset, packed.length].forEach((value, index) => header.setUint32(4 * index, value, true));
    frame.set(content, HEADER);
    frames.push(frame);
  }
  return frames;
}

/** Messages of which chunks are still to come; chunks of different messages may come in between. */
export class Assembly {
  readonly #partial = new Map<number, Partial>();

  /** The packed message that a frame completes. */
  add(frame: ArrayBuffer): Uint8Array<ArrayBuffer> | undefined {
    if (frame.byteLength < HEADER) throw new ProtocolError('a frame is shorter than its header');
    const header = new DataView(frame);
    const [id, offset, total] = [0, 4, 8].map((at) => header.getUint32(at, true)) as [number, number, number];
    const bytes = new Uint8Array(frame, HEADER);

    const partial = this.#partial.get(id) ?? (bytes.length === total ? undefined : this.#begin(id, total));
    // Most messages are one chunk, which needs no copy at all.
    if (!partial) return bytes;
    if (
      partial.content.length !== total ||
      offset + bytes.length > total ||
      bytes.length > partial.missing ||
      partial.offsets.has(offset)
    ) {
      throw new ProtocolError('the chunks of a message contradict each other');
    }
    partial.content.set(bytes, offset);
    partial.offsets.add(offset);
    partial.missing -= bytes.length;
    if (partial.missing > 0) return undefined;
    this.#partial.delete(id);
    return partial.content;
  }

  #begin(id: number, total: number): Partial {
    const partial = { content: new Uint8Array(total), offsets: new Set<number>(), missing: total };
    this.#partial.set(id, partial);
    return partial;
  }
}
