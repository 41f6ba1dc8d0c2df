// Version 1 of the protocol: JSON in text frames, with binary data in frames of its own beside it.
import { MessageTooLarge, ProtocolError } from '../errors.js';
import type { Incoming, Request } from '../messages.js';
import { createQueue } from '../queue.js';
import { parse, stringify } from './json.js';
import { utf8Length } from './utf8.js';
import type { Codec, Frame, Wire } from './wire.js';

const ATTACHMENT = 'wslink.binary.attachment';
/** Attachments that may wait for their message. */
const ATTACHMENTS = 65_536;
/** Where the id stands in the messages of all servers, so that one that is no JSON costs its call only. */
const ID = /^\s*\{\s*(?:"wslink"\s*:\s*"[^"]*"\s*,\s*)?"id"\s*:\s*("(?:[^"\\]|\\.){0,1100}")/;

/** Version 1 of the protocol, in which binary data of the server shows as `present` makes it. */
export function v1Presenting(present: (bytes: ArrayBuffer) => unknown): Wire {
  return { name: 'v1', codec: (maxBytes) => new JsonCodec(present, maxBytes) };
}

/** Version 1 of the protocol, spoken by Python servers before 2.0. */
export const v1: Wire = /* @__PURE__ */ v1Presenting((bytes) => new Uint8Array(bytes));

class JsonCodec implements Codec {
  readonly #present: (bytes: ArrayBuffer) => unknown;
  readonly #maxBytes: number;
  /** Keys whose bytes come next, in this order. */
  readonly #announced = createQueue<string>();
  readonly #attachments = new Map<string, { readonly shown: unknown; readonly bytes: number }>();
  #held = 0;
  #uploads = 0;
  #frameBytes = Infinity;

  constructor(present: (bytes: ArrayBuffer) => unknown, maxBytes: number = Infinity) {
    this.#present = present;
    this.#maxBytes = maxBytes;
  }

  encode(message: Request): Frame[] {
    const frames: Frame[] = [];
    const checked = (bytes: number): void => {
      if (bytes > this.#frameBytes) throw new MessageTooLarge(message.method, this.#frameBytes, bytes);
    };
    const text = stringify(message, (value) => {
      if (!(value instanceof Uint8Array)) return value;
      checked(value.length);
      const key = `wslink_bin${++this.#uploads}`;
      frames.push(JSON.stringify({ wslink: '1.0', method: ATTACHMENT, args: [key] }), value as Uint8Array<ArrayBuffer>);
      return key;
    });
    if (text.length * 3 > this.#frameBytes) checked(utf8Length(text));
    return [...frames, text];
  }

  decode(frame: string | ArrayBuffer): Incoming | undefined {
    if (typeof frame !== 'string') return this.#attach(frame);
    if (frame.length > this.#maxBytes) throw new ProtocolError('a message is larger than maxMessageBytes');
    let message: Partial<Incoming> & { method?: unknown; args?: unknown };
    try {
      message = this.#parse(frame) as typeof message;
    } catch (cause) {
      const id = ID.exec(frame)?.[1];
      if (id === undefined) throw new ProtocolError('a text frame is no JSON', cause);
      return { id: JSON.parse(id) as string, problem: new ProtocolError('a message is no JSON', cause) };
    }
    if (typeof message !== 'object' || message === null) throw new ProtocolError('a text frame is no message');
    if (typeof message.id === 'string') {
      // Ours, whatever the server has in its place.
      delete (message as { problem?: unknown }).problem;
      return message as Incoming;
    }
    if (message.method === ATTACHMENT && Array.isArray(message.args)) {
      for (const key of message.args) if (typeof key === 'string') this.#announced.push(key);
      this.#bound();
    }
    return undefined;
  }

  limitFrames(frameBytes = Infinity): void {
    this.#frameBytes = frameBytes;
  }

  #attach(bytes: ArrayBuffer): undefined {
    if (this.#announced.length === 0) return;
    const key = this.#announced.shift();
    this.#forget(key);
    this.#attachments.set(key, { shown: this.#present(bytes), bytes: bytes.byteLength });
    this.#held += bytes.byteLength;
    this.#bound();
  }

  #forget(key: string): void {
    this.#held -= this.#attachments.get(key)?.bytes ?? 0;
    this.#attachments.delete(key);
  }

  #bound(): void {
    if (this.#held > this.#maxBytes || this.#attachments.size + this.#announced.length > ATTACHMENTS) {
      throw new ProtocolError('attachments without a message take more than maxMessageBytes');
    }
  }

  #parse(text: string): unknown {
    if (this.#attachments.size === 0) return parse(text);
    const used = new Set<string>();
    const message = parse(text, (value) => {
      const attachment = typeof value === 'string' ? this.#attachments.get(value) : undefined;
      if (!attachment) return value;
      used.add(value as string);
      return attachment.shown;
    });
    used.forEach((key) => this.#forget(key));
    return message;
  }
}
