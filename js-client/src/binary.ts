// Brings binary data anywhere in arguments into the one form that is sent, bytes.

/** Binary data as it may stand anywhere in arguments. */
export type Binary = Uint8Array | ArrayBuffer | ArrayBufferView | Blob;

/** The value with all binary data as `Uint8Array`; a promise only if a `Blob` has to be read. */
export function withBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return plainBytes(value);
  if (value instanceof Blob) return value.arrayBuffer().then((bytes) => new Uint8Array(bytes));
  if (Array.isArray(value)) return all(value.map(withBytes));
  return isPlain(value) ? members(value) : value;
}

// Subclasses such as node's `Buffer` have a JSON form of their own, which must not be taken.
function plainBytes(view: ArrayBufferView): Uint8Array {
  return Object.getPrototypeOf(view) === Uint8Array.prototype
    ? (view as Uint8Array)
    : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function members(value: Record<string, unknown>): unknown {
  const names = Object.keys(value);
  const values = all(names.map((name) => withBytes(value[name])));
  const named = (given: unknown[]): unknown => Object.fromEntries(given.map((member, index) => [names[index], member]));
  return values instanceof Promise ? values.then(named) : named(values);
}

function all(values: unknown[]): unknown[] | Promise<unknown[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : values;
}
