// Cuts packed messages into chunks, and puts the chunks of received messages together.
import { ProtocolError } from '../errors.js';

const HEADER = 12;
/** Messages that may be incomplete at the same time. */
const MESSAGES = 4096;
/** What a chunk costs beside its bytes, so that very small ones are not free. */
const OVERHEAD = 256;
/** What chunks may cost beside the bytes of the largest message. */
const SLACK = 16 << 20;

interface Partial {
  readonly total: number;
  readonly chunks: Map<number, Uint8Array<ArrayBuffer>>;
  missing: number;
}

/** The frames of a message in pieces, each frame at most `frameBytes` long with its header; each byte is copied once. */
export function cut(pieces: readonly Uint8Array[], id: number, frameBytes: number): Uint8Array<ArrayBuffer>[] {
  const total = bytesOf(pieces);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  let frame = new Uint8Array(0);
  let filled = 0;
  let offset = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      if (filled === frame.length) {
        frame = new Uint8Array(Math.min(frameBytes, HEADER + total - offset));
        const header = new DataView(frame.buffer);
        [id, offset, total].forEach((value, index) => header.setUint32(4 * index, value, true));
        filled = HEADER;
        frames.push(frame);
      }
      const part = piece.subarray(at, at + frame.length - filled);
      frame.set(part, filled);
      filled += part.length;
      offset += part.length;
      at += part.length;
    }
  }
  return frames;
}

export function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Messages of which chunks are still to come. Memory grows with what arrived, never with what was announced. */
export class Assembly {
  readonly #partial = new Map<number, Partial>();
  readonly #maxBytes: number;
  #held = 0;

  constructor(maxBytes: number = Infinity) {
    this.#maxBytes = maxBytes;
  }

  /** The packed message that a frame completes. */
  add(frame: ArrayBuffer): Uint8Array<ArrayBuffer> | undefined {
    if (frame.byteLength < HEADER) throw new ProtocolError('a frame is shorter than its header');
    const header = new DataView(frame);
    const [id, offset, total] = [0, 4, 8].map((at) => header.getUint32(at, true)) as [number, number, number];
    const bytes = new Uint8Array(frame, HEADER);
    if (total > this.#maxBytes) throw new ProtocolError(`a message of ${total} bytes is larger than maxMessageBytes`);

    const known = this.#partial.get(id);
    // Most messages are one chunk, which needs no copy at all.
    if (!known && offset === 0 && bytes.length === total) return bytes;
    const partial = known ?? { total, chunks: new Map<number, Uint8Array<ArrayBuffer>>(), missing: total };
    if (
      partial.total !== total ||
      bytes.length === 0 ||
      offset + bytes.length > total ||
      bytes.length > partial.missing ||
      partial.chunks.has(offset)
    ) {
      throw contradiction();
    }
    if (!known) {
      if (this.#partial.size >= MESSAGES) throw new ProtocolError(`more than ${MESSAGES} messages are incomplete`);
      this.#partial.set(id, partial);
    }
    this.#held += bytes.length + OVERHEAD;
    if (this.#held > this.#maxBytes + SLACK) {
      throw new ProtocolError('incomplete messages take more than maxMessageBytes');
    }
    partial.chunks.set(offset, bytes);
    partial.missing -= bytes.length;
    if (partial.missing > 0) return undefined;
    this.#partial.delete(id);
    this.#held -= total + OVERHEAD * partial.chunks.size;
    return joined(partial);
  }
}

/** As many bytes as there have to be arrived: they are all there unless some came twice. */
function joined({ total, chunks }: Partial): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(total);
  let end = 0;
  for (const [offset, bytes] of [...chunks].sort(([a], [b]) => a - b)) {
    if (offset !== end) throw contradiction();
    content.set(bytes, offset);
    end += bytes.length;
  }
  return content;
}

function contradiction(): ProtocolError {
  return new ProtocolError('the chunks of a message contradict each other');
}
