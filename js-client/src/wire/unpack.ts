// Reads MessagePack. What has a meaning but no place in JavaScript is noted, and reading goes on behind it.

/** Deeper values end the message: reading is recursive. */
const MAX_DEPTH = 512;
/** Text below this length is read without the decoder, whose call costs more. */
const SHORT = 24;
const TIMESTAMP = -1;

const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws what DataView throws, or a `RangeError`, where the bytes end too early or mean nothing. */
export class Reader {
  /** The first thing that cannot be shown. */
  problem: string | undefined;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The members of a message; undefined for every other value. */
  messageLength(): number | undefined {
    const code = this.#unsigned(1);
    if (code >= 0x80 && code < 0x90) return code & 15;
    return code === 0xde || code === 0xdf ? this.#unsigned(code === 0xde ? 2 : 4) : undefined;
  }

  value(depth = 0): unknown {
    const code = this.#unsigned(1);
    if (code < 0x80) return code;
    if (code < 0x90) return this.#map(code & 15, depth);
    if (code < 0xa0) return this.#array(code & 15, depth);
    if (code < 0xc0) return this.#text(code & 31);
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return code === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        // A copy: it is aligned for every typed array, can be transferred and keeps nothing else alive.
        return this.#take(this.#unsigned(1 << (code - 0xc4))).slice();
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#unsigned(1 << (code - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#skip(4));
      case 0xcb:
        return this.#view.getFloat64(this.#skip(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (code - 0xcc));
      case 0xcf:
        return this.#wide(false);
      case 0xd0:
        return this.#view.getInt8(this.#skip(1));
      case 0xd1:
        return this.#view.getInt16(this.#skip(2));
      case 0xd2:
        return this.#view.getInt32(this.#skip(4));
      case 0xd3:
        return this.#wide(true);
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (code - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#unsigned(1 << (code - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(code === 0xdc ? 2 : 4), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(code === 0xde ? 2 : 4), depth);
      default:
        throw new RangeError(`the byte ${code} begins no value`);
    }
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
      if (!isName) this.problem ??= 'a map has a key that is neither text nor an integer';
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
    const bytes = this.#take(length);
    if (length < SHORT) {
      let text = '';
      for (let at = 0; at < length && bytes[at]! < 0x80; at += 1) text += String.fromCharCode(bytes[at]!);
      if (text.length === length) return text;
    }
    try {
      return decoder.decode(bytes);
    } catch {
      this.problem ??= 'a text is not UTF-8';
      return '';
    }
  }

  /** A number where that is exact. */
  #wide(signed: boolean): number | bigint {
    const at = this.#skip(8);
    const high = signed ? this.#view.getInt32(at) : this.#view.getUint32(at);
    const number = high * 2 ** 32 + this.#view.getUint32(at + 4);
    if (Number.isSafeInteger(number)) return number;
    return signed ? this.#view.getBigInt64(at) : this.#view.getBigUint64(at);
  }

  #extension(length: number): unknown {
    const type = this.#view.getInt8(this.#skip(1));
    const at = this.#skip(length);
    const view = this.#view;
    if (type === TIMESTAMP && length === 4) return new Date(view.getUint32(at) * 1000);
    if (type === TIMESTAMP && length === 8) {
      const [nanoseconds, high] = [view.getUint32(at) >>> 2, view.getUint32(at) & 3];
      return new Date((high * 2 ** 32 + view.getUint32(at + 4)) * 1000 + nanoseconds / 1e6);
    }
    if (type === TIMESTAMP && length === 12) {
      return new Date(Number(view.getBigInt64(at + 4)) * 1000 + view.getUint32(at) / 1e6);
    }
    this.problem ??= `a value is of the extension type ${type}`;
    return null;
  }

  #unsigned(bytes: number): number {
    const at = this.#skip(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #take(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Where the bytes begin that are skipped. */
  #skip(bytes: number): number {
    if (bytes > this.left) throw new RangeError('a value is longer than its message');
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
