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
  readonly chunks: Map<number, Uint8Array>;
  missing: number;
}

/** The frames of a packed message, each at most `frameBytes` long with its header; each byte is copied once. */
export function cut(
  packed: Uint8Array | readonly Uint8Array[],
  id: number,
  frameBytes: number,
): Uint8Array<ArrayBuffer>[] {
  const pieces = packed instanceof Uint8Array ? [packed] : packed;
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

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(bytesOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
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

  /** The packed message that a frame completes, in one piece or in consecutive chunks. */
  add(frame: ArrayBuffer): Uint8Array | Uint8Array[] | undefined {
    if (frame.byteLength < HEADER) throw contradiction();
    const header = new DataView(frame);
    const [id, offset, total] = [0, 4, 8].map((at) => header.getUint32(at, true)) as [number, number, number];
    const bytes = new Uint8Array(frame, HEADER);
    if (total > this.#maxBytes) throw tooMuch();

    const known = this.#partial.get(id);
    // Most messages are one chunk, which needs no copy at all.
    if (!known && offset === 0 && bytes.length === total) return bytes;
    const partial = known ?? { total, chunks: new Map<number, Uint8Array>(), missing: total };
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
      if (this.#partial.size >= MESSAGES) throw tooMuch();
      this.#partial.set(id, partial);
    }
    this.#held += bytes.length + OVERHEAD;
    if (this.#held > this.#maxBytes + SLACK) {
      throw tooMuch();
    }
    partial.chunks.set(offset, bytes);
    partial.missing -= bytes.length;
    if (partial.missing > 0) return undefined;
    this.#partial.delete(id);
    this.#held -= total + OVERHEAD * partial.chunks.size;
    return inOrder(partial.chunks);
  }
}

/** As many bytes as there have to be arrived: they are all there unless some came twice. */
function inOrder(chunks: ReadonlyMap<number, Uint8Array>): Uint8Array[] {
  let end = 0;
  return [...chunks]
    .sort(([a], [b]) => a - b)
    .map(([offset, bytes]) => {
      if (offset !== end) throw contradiction();
      end += bytes.length;
      return bytes;
    });
}

function tooMuch(): ProtocolError {
  return new ProtocolError('more than maxMessageBytes');
}

function contradiction(): ProtocolError {
  return new ProtocolError('contradicting chunks');
}
