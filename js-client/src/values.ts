// Brings arguments into the forms that both protocol versions send, and refuses what neither can.
import { UnsupportedValue } from './errors.js';

/** Binary data as it may stand anywhere in arguments. */
export type Binary = Uint8Array | ArrayBuffer | ArrayBufferView | Blob | ReadableStream;

/** Servers of this project refuse 128; the message itself takes some. */
const MAX_DEPTH = 120;
const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 64n - 1n;

/** Where a value stands, for errors and to find cycles. */
interface Place {
  readonly key: string | number;
  readonly container: object | undefined;
  readonly up: Place | undefined;
}

/**
 * A copy of null, booleans, numbers, bigints, text, bytes, arrays and plain objects only.
 * A promise only if a `Blob` or a `ReadableStream` has to be read. Throws `UnsupportedValue`.
 */
export function prepared(value: unknown, name: string): unknown {
  return copied(value, name, undefined, 0);
}

function copied(value: unknown, key: string | number, up: Place | undefined, depth: number): unknown {
  const refuse = (why: string): never => {
    throw new UnsupportedValue(pathOf({ key, container: undefined, up }), why);
  };
  switch (typeof value) {
    case 'bigint':
      return value < SMALLEST || value > LARGEST ? refuse('has more than 64 bits') : value;
    case 'function':
    case 'symbol':
      return refuse(`is a ${typeof value}`);
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return value;
  const bytes = bytesOf(value);
  if (bytes) return bytes;
  if (depth >= MAX_DEPTH) return refuse(`is nested deeper than ${MAX_DEPTH}`);
  for (let place = up; place; place = place.up) if (place.container === value) return refuse('contains itself');
  const here: Place = { key, container: value, up };
  const member = (inner: unknown, at: string | number): unknown => copied(inner, at, here, depth + 1);

  if (Array.isArray(value)) return all(Array.from(value, member));
  if (value instanceof Set) return all([...value].map(member));
  if (value instanceof Map) {
    const keys = [...value.keys()].map((name) => {
      if (typeof name === 'string' || Number.isSafeInteger(name)) return String(name);
      return refuse('is a Map with a key that is no text');
    });
    return named(keys, all([...value.values()].map((inner, at) => member(inner, keys[at]!))));
  }
  if (value instanceof Date && isNaN(value.getTime())) return refuse('is an invalid Date');
  // `Date` and `URL` have one; what it returns is no part of a cycle of its own.
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copied(toJSON.call(value, String(key)), key, here, depth + 1);
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object') return refuse(`is a ${kind}`);
  const keys = Object.keys(value).filter((name) => (value as Record<string, unknown>)[name] !== undefined);
  return named(keys, all(keys.map((name) => member((value as Record<string, unknown>)[name], name))));
}

/** Its bytes, or a promise of them; undefined for what is not binary. */
function bytesOf(value: object): Uint8Array | Promise<Uint8Array> | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    // Sockets do not send memory that other threads may change.
    return value.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
  }
  const isStream = typeof ReadableStream === 'function' && value instanceof ReadableStream;
  const source = value instanceof Blob ? value : isStream ? new Response(value as ReadableStream<any>) : undefined;
  return source?.arrayBuffer().then((buffer) => new Uint8Array(buffer));
}

function named(keys: readonly string[], values: unknown[] | Promise<unknown[]>): unknown {
  const join = (given: unknown[]): unknown => Object.fromEntries(given.map((value, at) => [keys[at], value]));
  return values instanceof Promise ? values.then(join) : join(values);
}

function all(values: unknown[]): unknown[] | Promise<unknown[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : values;
}

function pathOf({ key, up }: Place): string {
  if (!up) return String(key);
  return typeof key === 'number' ? `${pathOf(up)}[${key}]` : `${pathOf(up)}.${key}`;
}
