// Reads MessagePack. What has a meaning but no place in JavaScript is noted, and reading goes on behind it.

import { bytesOf, joined } from './chunks.js';

/** Deeper values end the message: reading is recursive. */
const MAX_DEPTH = 512;
/** Text below this length is read without the decoder, whose call costs more. */
const SHORT = 24;
const TIMESTAMP = -1;

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads from consecutive chunks. Throws a `RangeError` where they end too early or mean nothing. */
export class Reader {
  /** The first thing that cannot be shown. */
  problem: string | undefined;
  readonly #chunks: (Uint8Array | undefined)[];
  #next = 0;
  /** Bytes of the chunks from `#next` on. */
  #later: number;
  /** The present chunk. */
  #bytes!: Uint8Array;
  #view!: DataView;
  #at = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = [...chunks];
    this.#later = bytesOf(chunks);
    this.#enterChunk(chunks.length > 0 ? this.#takeChunk() : new Uint8Array(0));
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#later + this.#bytes.length - this.#at;
  }

  /** The members of a message; undefined for every other value. */
  messageLength(): number | undefined {
    const code = this.#unsigned(0);
    if (code >= 0x80 && code < 0x90) return code & 15;
    return code === 0xde || code === 0xdf ? this.#unsigned(code - 0xdd) : undefined;
  }

  value(depth = 0): unknown {
    const code = this.#unsigned(0);
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code & 15, depth);
    if (code < 0xa0) return this.#array(code & 15, depth);
    if (code < 0xc0) return this.#text(code & 31);
    if (code >= 0xe0) return code - 0x100;
    if (code === 0xcb) {
      const at = this.#skip(8);
      return this.#view.getFloat64(at);
    }
    // From here on a code says, by its distance from the first of its group, how long what follows is.
    if (code >= 0xde) return this.#map(this.#unsigned(code - 0xdd), depth);
    if (code >= 0xdc) return this.#array(this.#unsigned(code - 0xdb), depth);
    if (code >= 0xd9) return this.#text(this.#unsigned(code - 0xd9));
    if (code >= 0xd4) return this.#extension(1 << (code - 0xd4));
    if (code === 0xd3 || code === 0xcf) return this.#wide(code === 0xd3);
    if (code >= 0xd0) return this.#signed(code - 0xd0);
    if (code >= 0xcc) return this.#unsigned(code - 0xcc);
    if (code >= 0xca) return this.#single();
    if (code >= 0xc7) return this.#extension(this.#unsigned(code - 0xc7));
    if (code >= 0xc4) return this.#binary(this.#unsigned(code - 0xc4));
    if (code === 0xc1) throw new RangeError('0xc1 begins no value');
    return code === 0xc0 ? null : code === 0xc3;
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    const values: unknown[] = [];
    for (let left = length; left > 0; left -= 1) values.push(this.value(depth + 1));
    return values;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#enter(2 * length, depth);
    const members: Record<string, unknown> = {};
    for (let left = length; left > 0; left -= 1) {
      const key = this.value(depth + 1);
      const isName = typeof key === 'string' || typeof key === 'bigint' || Number.isSafeInteger(key);
      if (!isName) this.problem ??= 'a map has a key that is no text';
      const name = isName ? String(key) : '';
      const value = this.value(depth + 1);
      // Assigning would set the prototype.
      if (name === '__proto__') {
        Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
      } else members[name] = value;
    }
    return members;
  }

  /** A length is believed only as far as there are bytes for it. */
  #enter(values: number, depth: number): void {
    if (values > this.left) throw new RangeError('a value is longer than its message');
    if (depth >= MAX_DEPTH) throw new RangeError(`a value is nested deeper than ${MAX_DEPTH}`);
  }

  #text(length: number): string {
    const at = this.#skip(length);
    const bytes = this.#bytes;
    if (length < SHORT) {
      let text = '';
      for (let n = at; n < at + length && bytes[n]! < 0x80; n += 1) text += String.fromCharCode(bytes[n]!);
      if (text.length === length) return text;
    }
    try {
      return decoder.decode(bytes.subarray(at, at + length));
    } catch {
      this.problem ??= 'a text is not UTF-8';
      return '';
    }
  }

  /** Its own copy: aligned for every typed array, transferable, and nothing else is kept alive by it. */
  #binary(length: number): Uint8Array {
    if (length > this.left) throw new RangeError('a value is longer than its message');
    const copy = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      if (this.#at === this.#bytes.length) this.#enterChunk(this.#takeChunk());
      const part = this.#bytes.subarray(this.#at, this.#at + length - filled);
      copy.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return copy;
  }

  /** A number where that is exact. */
  #wide(signed: boolean): number | bigint {
    const at = this.#skip(8);
    const high = signed ? this.#view.getInt32(at) : this.#view.getUint32(at);
    const number = high * 2 ** 32 + this.#view.getUint32(at + 4);
    if (Number.isSafeInteger(number)) return number;
    return signed ? this.#view.getBigInt64(at) : this.#view.getBigUint64(at);
  }

  #single(): number {
    const at = this.#skip(4);
    return this.#view.getFloat32(at);
  }

  #extension(length: number): unknown {
    const type = this.#signed(0);
    const at = this.#skip(length);
    if (type === TIMESTAMP && (length === 4 || length === 8 || length === 12)) {
      const view = this.#view;
      // Seconds alone, both in 30 and 34 bits, or nanoseconds before seconds.
      const first = view.getUint32(at);
      if (length === 4) return new Date(first * 1000);
      if (length === 12) return new Date(Number(view.getBigInt64(at + 4)) * 1000 + first / 1e6);
      return new Date(((first & 3) * 2 ** 32 + view.getUint32(at + 4)) * 1000 + (first >>> 2) / 1e6);
    }
    this.problem ??= `a value is of the extension type ${type}`;
    return null;
  }

  /** An integer of 2 to the power of `power` bytes, at most 4. */
  #unsigned(power: number): number {
    const at = this.#skip(1 << power);
    if (power === 0) return this.#bytes[at]!;
    return power === 1 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #signed(power: number): number {
    const at = this.#skip(1 << power);
    if (power === 0) return this.#view.getInt8(at);
    return power === 1 ? this.#view.getInt16(at) : this.#view.getInt32(at);
  }

  /** Where in the present chunk the bytes begin that are skipped. */
  #skip(bytes: number): number {
    if (this.#at + bytes > this.#bytes.length) this.#join(bytes);
    const at = this.#at;
    this.#at = at + bytes;
    return at;
  }

  /** Makes the next bytes part of one chunk. */
  #join(bytes: number): void {
    if (bytes > this.left) throw new RangeError('a value is longer than its message');
    const parts = this.#at < this.#bytes.length ? [this.#bytes.subarray(this.#at)] : [];
    let length = bytesOf(parts);
    while (length < bytes) {
      const chunk = this.#takeChunk();
      parts.push(chunk);
      length += chunk.length;
    }
    this.#enterChunk(parts.length === 1 ? parts[0]! : joined(parts));
  }

  /** The next chunk, which nothing else needs any more. */
  #takeChunk(): Uint8Array {
    const chunk = this.#chunks[this.#next]!;
    this.#chunks[this.#next++] = undefined;
    this.#later -= chunk.length;
    return chunk;
  }

  #enterChunk(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
  }
}
