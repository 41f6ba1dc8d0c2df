// Reads MessagePack. What has a meaning but no place in JavaScript is noted, and reading goes on behind it.

/** Deeper values end the message: reading is recursive. */
const MAX_DEPTH = 512;
/** Text below this length is read without the decoder, whose call costs more. */
const SHORT = 24;
const TIMESTAMP = -1;

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// One reader serves all sessions: nothing else runs while something is read. Functions that were made anew for each
// message would begin in the interpreter each time.
/** Bytes that were not read yet. */
export let left = 0;
/** The first thing that cannot be shown. */
export let problem: string | undefined;
/** The members of the outermost map as far as they were read. */
export let outer: Record<string, unknown> | undefined;
/** The next one is the last, and nothing else needs it any more. */
let later: Uint8Array[];
let bytes: Uint8Array;
let view: DataView;
let at: number;

export function bytesOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** What is read from now on comes from the front of these; of none, so that nothing is kept in memory. */
export function open(pieces: readonly Uint8Array[] = []): void {
  left = bytesOf(pieces);
  problem = outer = undefined;
  later = [...pieces].reverse();
  enter(new Uint8Array(0));
}

function enter(piece: Uint8Array): void {
  bytes = piece;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  at = 0;
}

/** Goes on to the next piece at the end of the present one. */
function refill(): void {
  while (at === bytes.length && later.length > 0) enter(later.pop()!);
}

/**
 * The next bytes behind `head` empty ones, in memory of their own: aligned for every typed array and transferable.
 * Throws a `RangeError` where there are not as many.
 */
export function copy(length: number, head = 0): Uint8Array<ArrayBuffer> {
  // A length is believed only as far as there are bytes for it.
  if (length > left) throw new RangeError('a value is longer than its message');
  left -= length;
  const copied = new Uint8Array(head + length);
  while (head < copied.length) {
    refill();
    const part = bytes.subarray(at, at + copied.length - head);
    copied.set(part, head);
    head += part.length;
    at += part.length;
  }
  return copied;
}

/** Where in the present piece the bytes begin that are skipped; they become one if they are not. */
function skip(length: number): number {
  refill();
  if (at + length > bytes.length) {
    const joined = copy(length);
    later.push(bytes.subarray(at));
    enter(joined);
  } else left -= length;
  at += length;
  return at - length;
}

/** An integer of 2 to the power of `power` bytes; a number where that is exact. */
function integer(power: number, signed = false): any {
  const from = skip(1 << power);
  if (power === 3) {
    const exact = signed ? view.getBigInt64(from) : view.getBigUint64(from);
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  }
  let number = 0;
  for (let n = from; n < at; n += 1) number = number * 256 + bytes[n]!;
  const unused = 32 - (8 << power);
  return signed ? (number << unused) >> unused : number;
}

/** Throws a `RangeError` where bytes end too early or mean nothing. */
export function value(depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new RangeError(`a value is nested deeper than ${MAX_DEPTH}`);
  const code = integer(0);
  if (code < 0x80) return code;
  if (code < 0x90) return map(code & 15, depth);
  if (code < 0xa0) return array(code & 15, depth);
  if (code < 0xc0) return text(code & 31);
  if (code >= 0xe0) return code - 0x100;
  // From here on a code says, by its distance from the first of its group, how long what follows is.
  if (code >= 0xde) return map(integer(code - 0xdd), depth);
  if (code >= 0xdc) return array(integer(code - 0xdb), depth);
  if (code >= 0xd9) return text(integer(code - 0xd9));
  if (code >= 0xd4) return extension(1 << (code - 0xd4));
  if (code >= 0xd0) return integer(code - 0xd0, true);
  if (code >= 0xcc) return integer(code - 0xcc);
  if (code >= 0xca) {
    const from = skip(code === 0xca ? 4 : 8);
    return code === 0xca ? view.getFloat32(from) : view.getFloat64(from);
  }
  if (code >= 0xc7) return extension(integer(code - 0xc7));
  if (code >= 0xc4) return copy(integer(code - 0xc4));
  if (code === 0xc1) throw new RangeError('0xc1 begins no value');
  return code === 0xc0 ? null : code === 0xc3;
}

function array(length: number, depth: number): unknown[] {
  const values: unknown[] = [];
  while (length-- > 0) values.push(value(depth + 1));
  return values;
}

function map(length: number, depth: number): Record<string, unknown> {
  let members: Record<string, unknown> = {};
  while (length-- > 0) {
    const key = value(depth + 1);
    const isName = typeof key === 'string' || typeof key === 'bigint' || Number.isSafeInteger(key);
    if (!isName) problem ??= 'a map has a key that is no text';
    const name = isName ? String(key) : '';
    const member = value(depth + 1);
    // Assigning would set the prototype.
    if (name === '__proto__') members = { ...members, [name]: member };
    else members[name] = member;
    if (depth === 0) outer = members;
  }
  return members;
}

function text(length: number): string {
  const from = skip(length);
  if (length < SHORT) {
    let short = '';
    for (let n = from; n < at && bytes[n]! < 0x80; n += 1) short += String.fromCharCode(bytes[n]!);
    if (short.length === length) return short;
  }
  try {
    return decoder.decode(bytes.subarray(from, at));
  } catch {
    problem ??= 'a text is not UTF-8';
    return '';
  }
}

function extension(length: number): Date | null {
  const type = integer(0, true);
  if (type === TIMESTAMP && (length === 4 || length === 8 || length === 12)) {
    // Seconds alone, both in 34 and 30 bits, or nanoseconds before seconds.
    const first = integer(2);
    if (length === 4) return new Date(first * 1000);
    const seconds = length === 8 ? (first & 3) * 2 ** 32 + integer(2) : Number(integer(3, true));
    return new Date(seconds * 1000 + (length === 8 ? first >>> 2 : first) / 1e6);
  }
  skip(length);
  problem ??= `a value is of the extension type ${type}`;
  return null;
}
