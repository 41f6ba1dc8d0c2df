// Brings arguments into the forms that both protocol versions send, and refuses what neither can.
import { UnsupportedValue } from './errors.js';

/** Binary data as it may stand anywhere in arguments. */
export type Binary = Uint8Array | ArrayBuffer | ArrayBufferView | Blob | ReadableStream;

/** Servers of this project refuse 128; the message itself takes some. */
const MAX_DEPTH = 120;
const SIMPLE = /* @__PURE__ */ new Set(['number', 'string', 'boolean', 'undefined']);

/** Where a value stands, for errors and to find cycles. */
interface Place {
  readonly key: string | number;
  readonly container: unknown;
  readonly up: Place | undefined;
}

/**
 * A copy of null, booleans, numbers, bigints, text, bytes, arrays and plain objects only.
 * A promise only if a `Blob` or a `ReadableStream` has to be read. Throws `UnsupportedValue`.
 */
export function prepared(value: unknown, name: string, read: Map<unknown, Uint8Array> = new Map()): unknown {
  const pending: Promise<unknown>[] = [];
  const copied = (given: unknown, key: string | number, up?: Place, depth = 0): unknown => {
    if (given === null || SIMPLE.has(typeof given)) return given;
    const here: Place = { key, container: given, up };
    const refuse = (why: string): never => {
      throw new UnsupportedValue(pathOf(here), why);
    };
    if (typeof given === 'bigint') {
      if (given !== BigInt.asUintN(64, given) && given !== BigInt.asIntN(64, given)) refuse('has more than 64 bits');
      return given;
    }
    const bytes = read.get(given) ?? bytesOf(given);
    if (bytes) return bytes;
    if (given instanceof Blob || (typeof ReadableStream === 'function' && given instanceof ReadableStream)) {
      const reading = (given instanceof Blob ? given : new Response(given as BodyInit)).arrayBuffer();
      pending.push(reading.then((buffer) => read.set(given, new Uint8Array(buffer))));
      // Replaced when everything is read.
      return given;
    }
    if (depth >= MAX_DEPTH) refuse(`is nested deeper than ${MAX_DEPTH}`);
    for (let place = up; place; place = place.up) if (place.container === given) refuse('contains itself');
    const member = (inner: unknown, at: string | number): unknown => copied(inner, at, here, depth + 1);

    if (Array.isArray(given) || given instanceof Set) return Array.from(given, member);
    if (given instanceof Date && isNaN(given.getTime())) refuse('is an invalid Date');
    // `Date` and `URL` have one; what it returns is no part of a cycle of its own.
    const { toJSON } = given as { toJSON?: unknown };
    if (typeof toJSON === 'function') return copied(toJSON.call(given, String(key)), key, here, depth + 1);
    const kind = Object.prototype.toString.call(given).slice(8, -1);
    const isMap = given instanceof Map;
    if (!isMap && kind !== 'Object') refuse(`is a ${kind}`);
    const members: [unknown, unknown][] = isMap ? [...given] : Object.entries(given as object);
    return Object.fromEntries(
      members
        .filter(([, inner]) => inner !== undefined)
        .map(([at, inner]) => {
          if (typeof at !== 'string' && !Number.isSafeInteger(at)) refuse('is a Map with a key that is no text');
          return [at, member(inner, String(at))];
        }),
    );
  };
  const copy = copied(value, name);
  return pending.length > 0 ? Promise.all(pending).then(() => prepared(copy, name, read)) : copy;
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
