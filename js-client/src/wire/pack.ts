// Writes values as MessagePack; large binary data and text stay where they are and become pieces of their own.

/** Bytes from this size on are not copied into the buffer. */
const SHARED = 4096;
const START = 2048;
/** A larger buffer is given back after its message. */
const KEPT = 1 << 16;
/** Text below this length may be written without the encoder, whose call costs more. */
const SHORT = 32;
/** For any code with what follows it, and short text. */
const ROOM = 64;

const encoder = /* @__PURE__ */ new TextEncoder();

// One buffer serves all sessions: nothing else runs while a value is packed.
let buffer = /* @__PURE__ */ new Uint8Array(0);
let view: DataView;
/** Where the open piece begins and ends in the buffer. */
let from = 0;
let at = 0;
let pieces: Uint8Array[];

/** The pieces of a prepared value; good until the next call. */
export function pack(value: unknown): Uint8Array[] {
  from = at = 0;
  const packed: Uint8Array[] = (pieces = []);
  write(value);
  closePiece();
  pieces = [];
  if (buffer.length > KEPT) renew(START);
  return packed;
}

function write(value: unknown): void {
  if (typeof value === 'string') text(value);
  else if (typeof value === 'number') number(value);
  else if (typeof value === 'bigint') wide(value);
  else if (value instanceof Uint8Array) {
    integer(0xc4, value.length);
    put(value);
  } else if (Array.isArray(value)) {
    sized(value.length, 16, 0x90, 0xdb, 2 ** 8);
    value.forEach(write);
  } else if (value && typeof value === 'object') {
    const members = Object.entries(value);
    sized(members.length, 16, 0x80, 0xdd, 2 ** 8);
    for (const [key, member] of members) {
      text(key);
      write(member);
    }
  } else head(value === true ? 0xc3 : value === false ? 0xc2 : 0xc0);
}

function number(value: number): void {
  if (!Number.isInteger(value) || Object.is(value, -0) || value >= 2 ** 64 || value < -(2 ** 63)) {
    head(0xcb);
    view.setFloat64(at, value);
    at += 8;
  } else if (!Number.isSafeInteger(value)) wide(BigInt(value));
  else if (value >= -32 && value < 128) head(value & 0xff);
  else if (value < 0) integer(0xd0, value, -2 * value - 1);
  else integer(0xcc, value);
}

/** An integer that a number may not hold. */
function wide(value: bigint): void {
  if (Number.isSafeInteger(Number(value))) return number(Number(value));
  head(value < 0n ? 0xd3 : 0xcf);
  view.setBigUint64(at, BigInt.asUintN(64, value));
  at += 8;
}

function text(value: string): void {
  const { length } = value;
  if (length < SHORT && /^[\0-\x7f]*$/.test(value)) {
    head(0xa0 + length);
    for (let n = 0; n < length; n += 1) buffer[at++] = value.charCodeAt(n);
  } else {
    const bytes = encoder.encode(value);
    sized(bytes.length, 32, 0xa0, 0xd9);
    put(bytes);
  }
}

function put(bytes: Uint8Array): void {
  if (bytes.length < SHARED) {
    room(bytes.length);
    buffer.set(bytes, at);
    at += bytes.length;
  } else {
    closePiece();
    pieces.push(bytes);
  }
}

/** A length: in the code itself below `tiny`, else in as many bytes as `least` would take. */
function sized(length: number, tiny: number, base: number, first: number, least = 0): void {
  if (length < tiny) head(base + length);
  else integer(first, length, length | least);
}

/** In the fewest bytes that hold `span`, 2 to the power of which the code tells by its distance from `first`. */
function integer(first: number, value: number, span = value): void {
  const power = span < 2 ** 8 ? 0 : span < 2 ** 16 ? 1 : span < 2 ** 32 ? 2 : 3;
  head(first + power);
  at += 1 << power;
  for (let n = 1; n <= 1 << power; n += 1) {
    buffer[at - n] = value;
    value = Math.floor(value / 256);
  }
}

function head(code: number): void {
  room(ROOM);
  buffer[at++] = code;
}

function closePiece(): void {
  if (at > from) pieces.push(buffer.subarray(from, at));
  from = at;
}

/** Closed pieces keep the buffer that they are in. */
function room(bytes: number): void {
  if (at + bytes <= buffer.length) return;
  const open = buffer.subarray(from, at);
  renew(START + 2 * open.length + bytes);
  buffer.set(open);
  from = 0;
  at = open.length;
}

function renew(bytes: number): void {
  buffer = new Uint8Array(bytes);
  view = new DataView(buffer.buffer);
}
