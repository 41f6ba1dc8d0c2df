// Writes values as MessagePack; large binary data stays where it is and becomes a piece of its own.
import { utf8Length } from './utf8.js';

/** Binary data from this size on is not copied into the buffer. */
const SHARED = 4096;
const START = 2048;
/** A larger buffer is given back after its message. */
const KEPT = 1 << 16;

const encoder = /* @__PURE__ */ new TextEncoder();

export class Packer {
  #buffer!: Uint8Array<ArrayBuffer>;
  #view!: DataView;
  /** Where the open piece begins and ends in the buffer. */
  #from = 0;
  #at = 0;
  #pieces: Uint8Array[] = [];

  constructor() {
    this.#renew(START);
  }

  /** The pieces of a prepared value; good until the next call. */
  pack(value: unknown): Uint8Array[] {
    const pieces = (this.#pieces = []);
    this.#from = this.#at = 0;
    this.#value(value);
    this.#closePiece();
    this.#pieces = [];
    if (this.#buffer.length > KEPT) this.#renew(START);
    return pieces;
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'boolean':
        return this.#head(1, value ? 0xc3 : 0xc2);
      case 'number':
        return this.#number(value);
      case 'bigint':
        return this.#wide(value);
      case 'string':
        return this.#text(value);
      case 'object':
        if (value === null) break;
        if (value instanceof Uint8Array) return this.#binary(value);
        if (Array.isArray(value)) {
          this.#sized(value.length, 0x90, 16, 0, 0xdc);
          return value.forEach((member) => this.#value(member));
        }
        return this.#map(value as Record<string, unknown>);
    }
    this.#head(1, 0xc0);
  }

  #map(value: Record<string, unknown>): void {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    this.#sized(keys.length, 0x80, 16, 0, 0xde);
    for (const key of keys) {
      this.#text(key);
      this.#value(value[key]);
    }
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0) || value >= 2 ** 64 || value < -(2 ** 63)) {
      this.#head(9, 0xcb);
      this.#view.setFloat64(this.#at - 8, value);
    } else if (!Number.isSafeInteger(value)) {
      this.#wide(BigInt(value));
    } else if (value >= 0) {
      if (value < 128) this.#head(1, value);
      else if (value < 2 ** 8) this.#integer(1, 0xcc, value);
      else if (value < 2 ** 16) this.#integer(2, 0xcd, value);
      else if (value < 2 ** 32) this.#integer(4, 0xce, value);
      else this.#integer(8, 0xcf, value);
    } else if (value >= -32) this.#head(1, value & 0xff);
    else if (value >= -(2 ** 7)) this.#integer(1, 0xd0, value);
    else if (value >= -(2 ** 15)) this.#integer(2, 0xd1, value);
    else if (value >= -(2 ** 31)) this.#integer(4, 0xd2, value);
    else this.#integer(8, 0xd3, value);
  }

  /** An integer that a number may not hold. */
  #wide(value: bigint): void {
    if (Number.isSafeInteger(Number(value))) return this.#number(Number(value));
    this.#head(9, value < 0n ? 0xd3 : 0xcf);
    this.#view.setBigUint64(this.#at - 8, BigInt.asUintN(64, value));
  }

  #text(value: string): void {
    const length = utf8Length(value);
    this.#sized(length, 0xa0, 32, 0xd9, 0xda);
    this.#room(length);
    if (length === value.length && length < 32) {
      for (let at = 0; at < length; at += 1) this.#buffer[this.#at + at] = value.charCodeAt(at);
    } else encoder.encodeInto(value, this.#buffer.subarray(this.#at));
    this.#at += length;
  }

  #binary(bytes: Uint8Array): void {
    this.#sized(bytes.length, 0, 0, 0xc4, 0xc5);
    if (bytes.length < SHARED) {
      this.#room(bytes.length);
      this.#buffer.set(bytes, this.#at);
      this.#at += bytes.length;
    } else {
      this.#closePiece();
      this.#pieces.push(bytes);
    }
  }

  /** A length in its shortest form: in the first byte below `tiny`, then in one byte (if `one`), two or four. */
  #sized(length: number, base: number, tiny: number, one: number, two: number): void {
    if (length < tiny) this.#head(1, base + length);
    else if (one !== 0 && length < 2 ** 8) this.#integer(1, one, length);
    else if (length < 2 ** 16) this.#integer(2, two, length);
    else this.#integer(4, two + 1, length);
  }

  #integer(bytes: 1 | 2 | 4 | 8, code: number, value: number): void {
    this.#head(1 + bytes, code);
    const at = this.#at - bytes;
    if (bytes === 1) this.#view.setUint8(at, value);
    else if (bytes === 2) this.#view.setUint16(at, value);
    else {
      if (bytes === 8) this.#view.setInt32(at, Math.floor(value / 2 ** 32));
      this.#view.setUint32(this.#at - 4, value);
    }
  }

  #head(bytes: number, code: number): void {
    this.#room(bytes);
    this.#buffer[this.#at] = code;
    this.#at += bytes;
  }

  #closePiece(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#buffer.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  /** Closed pieces keep the buffer that they are in. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const open = this.#buffer.subarray(this.#from, this.#at);
    this.#renew(Math.max(START, 2 * open.length + bytes));
    this.#buffer.set(open);
    this.#from = 0;
    this.#at = open.length;
  }

  #renew(bytes: number): void {
    this.#buffer = new Uint8Array(bytes);
    this.#view = new DataView(this.#buffer.buffer);
  }
}
