// Brings arguments into the forms that both protocol versions send, and refuses what neither can.
import { UnsupportedValue } from './errors.js';

/** Binary data as it may stand anywhere in arguments. */
export type Binary = Uint8Array | ArrayBuffer | ArrayBufferView | Blob | ReadableStream;

/** Servers of this project refuse 128; the message itself takes some. */
const MAX_DEPTH = 120;

/** Where a value stands, for errors and to find cycles. */
interface Place {
  readonly key: string | number;
  readonly container: unknown;
  readonly up: Place | undefined;
}

/** What is read of a `Blob` or a stream, and what is still to be read. */
interface Sources {
  readonly read: Map<unknown, Uint8Array>;
  readonly pending: Promise<unknown>[];
}

/**
 * A copy of null, booleans, numbers, bigints, text, bytes, arrays and plain objects only.
 * A promise only if a `Blob` or a `ReadableStream` has to be read. Throws `UnsupportedValue`.
 */
export function prepared(value: unknown, name: string): unknown {
  const sources: Sources = { read: new Map(), pending: [] };
  const copy = copied(value, name, undefined, 0, sources);
  if (sources.pending.length === 0) return copy;
  return Promise.all(sources.pending).then(() => copied(copy, name, undefined, 0, sources));
}

function copied(value: unknown, key: string | number, up: Place | undefined, depth: number, sources: Sources): unknown {
  const type = typeof value;
  if (value === null || type === 'string' || type === 'number' || type === 'boolean' || type === 'undefined') {
    return value;
  }
  const here: Place = { key, container: value, up };
  const refuse = (why: string): never => {
    throw new UnsupportedValue(pathOf(here), why);
  };
  if (typeof value === 'bigint') {
    if (value !== BigInt.asUintN(64, value) && value !== BigInt.asIntN(64, value)) refuse('has more than 64 bits');
    return value;
  }
  const bytes = sources.read.get(value) ?? bytesOf(value);
  if (bytes) return bytes;
  if (value instanceof Blob || (typeof ReadableStream === 'function' && value instanceof ReadableStream)) {
    const reading = (value instanceof Blob ? value : new Response(value as BodyInit)).arrayBuffer();
    sources.pending.push(reading.then((buffer) => sources.read.set(value, new Uint8Array(buffer))));
    // Replaced when everything is read.
    return value;
  }
  if (depth >= MAX_DEPTH) refuse(`is nested deeper than ${MAX_DEPTH}`);
  for (let place = up; place; place = place.up) if (place.container === value) refuse('contains itself');
  const member = (inner: unknown, at: string | number): unknown => copied(inner, at, here, depth + 1, sources);

  if (Array.isArray(value) || value instanceof Set) return Array.from(value, member);
  if (value instanceof Date && isNaN(value.getTime())) refuse('is an invalid Date');
  // `Date` and `URL` have one; what it returns is no part of a cycle of its own.
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copied(toJSON.call(value, String(key)), key, here, depth + 1, sources);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  const isMap = value instanceof Map;
  if (!isMap && kind !== 'Object') refuse(`is a ${kind}`);
  const members: [unknown, unknown][] = isMap ? [...value] : Object.entries(value as object);
  return Object.fromEntries(
    members
      .filter(([, inner]) => inner !== undefined)
      .map(([at, inner]) => {
        if (typeof at !== 'string' && !Number.isSafeInteger(at)) refuse('is a Map with a key that is no text');
        return [at, member(inner, String(at))];
      }),
  );
}

/** Its bytes; undefined for what has none at hand. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  // Sockets do not send memory that other threads may change.
  return value.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}

function pathOf({ key, up }: Place): string {
  if (!up) return String(key);
  return typeof key === 'number' ? `${pathOf(up)}[${key}]` : `${pathOf(up)}.${key}`;
}
