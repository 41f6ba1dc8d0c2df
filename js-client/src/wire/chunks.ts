// Cuts packed messages into chunks, and puts the chunks of received messages together.
import { ProtocolError } from '../errors.js';
import { copy, left, open } from './unpack.js';

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
export function cut(pieces: readonly Uint8Array[], id: number, frameBytes: number): Uint8Array<ArrayBuffer>[] {
  open(pieces);
  const total = left;
  const frames: Uint8Array<ArrayBuffer>[] = [];
  while (left > 0) {
    const offset = total - left;
    const frame = copy(Math.min(frameBytes - HEADER, left), HEADER);
    const header = new DataView(frame.buffer);
    [id, offset, total].forEach((value, index) => header.setUint32(4 * index, value, true));
    frames.push(frame);
  }
  open();
  return frames;
}

/**
 * Takes frames, and returns the packed message that one completes, in consecutive chunks. Memory grows with what arrived,
 * never with what was announced.
 */
export function assembly(maxBytes = Infinity): (frame: ArrayBuffer) => Uint8Array[] | undefined {
  const partials = new Map<number, Partial>();
  let held = 0;
  return (frame) => {
    if (frame.byteLength < HEADER) throw contradiction();
    const header = new DataView(frame);
    const [id, offset, total] = [0, 4, 8].map((at) => header.getUint32(at, true)) as [number, number, number];
    const bytes = new Uint8Array(frame, HEADER);
    const partial = partials.get(id) ?? { total, chunks: new Map<number, Uint8Array>(), missing: total };
    const { chunks } = partial;
    if (partial.total !== total || bytes.length === 0 || bytes.length > partial.missing || chunks.has(offset)) {
      throw contradiction();
    }
    chunks.set(offset, bytes);
    partials.set(id, partial);
    partial.missing -= bytes.length;
    held += bytes.length + OVERHEAD;
    if (total > maxBytes || partials.size > MESSAGES || held > maxBytes + SLACK) {
      throw new ProtocolError('more than maxMessageBytes');
    }
    if (partial.missing > 0) return undefined;
    partials.delete(id);
    held -= total + OVERHEAD * chunks.size;
    // As many bytes as there have to be arrived: they are all there unless some came twice.
    let end = 0;
    return [...chunks]
      .sort(([a], [b]) => a - b)
      .map(([from, chunk]) => {
        if (from !== end) throw contradiction();
        end += chunk.length;
        return chunk;
      });
  };
}

function contradiction(): ProtocolError {
  return new ProtocolError('contradicting chunks');
}
