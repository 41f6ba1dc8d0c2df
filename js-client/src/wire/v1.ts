// The first generation: JSON in text frames, with binary data in frames of its own beside it.
import { ProtocolError } from '../errors.js';
import type { Incoming, Request } from '../messages.js';
import { parse, stringify } from './json.js';
import type { Codec, Frame, Wire } from './wire.js';

const ATTACHMENT = 'wslink.binary.attachment';

/** The first generation, in which binary data of the server shows as `present` makes it. */
export function v1Presenting(present: (bytes: ArrayBuffer) => unknown): Wire {
  return { name: 'v1', codec: () => new JsonCodec(present) };
}

/** The first generation, spoken by Python servers before 2.0. */
export const v1: Wire = /* @__PURE__ */ v1Presenting((bytes) => new Uint8Array(bytes));

class JsonCodec implements Codec {
  readonly #present: (bytes: ArrayBuffer) => unknown;
  /** Keys whose bytes come next, in this order. */
  readonly #announced: string[] = [];
  readonly #attachments = new Map<string, unknown>();
  #uploads = 0;

  constructor(present: (bytes: ArrayBuffer) => unknown) {
    this.#present = present;
  }

  encode(message: Request): Frame[] {
    const frames: Frame[] = [];
    const text = stringify(message, (value) => {
      if (!(value instanceof Uint8Array)) return value;
      const key = `wslink_bin${++this.#uploads}`;
      frames.push(JSON.stringify({ wslink: '1.0', method: ATTACHMENT, args: [key] }), value as Uint8Array<ArrayBuffer>);
      return key;
    });
    return [...frames, text];
  }

  decode(frame: string | ArrayBuffer): Incoming | undefined {
    if (typeof frame !== 'string') {
      const key = this.#announced.shift();
      if (key !== undefined) this.#attachments.set(key, this.#present(frame));
      return undefined;
    }
    const message = this.#parse(frame) as Partial<Incoming> & { method?: string; args?: string[] };
    if (typeof message.id === 'string') return message as Incoming;
    if (message.method === ATTACHMENT) this.#announced.push(...(message.args ?? []));
    return undefined;
  }

  limitFrames(): void {
    // A message of this generation cannot be cut.
  }

  #parse(text: string): unknown {
    const used = new Set<string>();
    const attach = (value: unknown): unknown => {
      if (typeof value !== 'string' || !this.#attachments.has(value)) return value;
      used.add(value);
      return this.#attachments.get(value);
    };
    let message: unknown;
    try {
      message = parse(text, this.#attachments.size > 0 ? attach : undefined);
    } catch (cause) {
      throw new ProtocolError('a text frame is no JSON', cause);
    }
    if (typeof message !== 'object' || message === null) throw new ProtocolError('a text frame is no message');
    used.forEach((key) => this.#attachments.delete(key));
    return message;
  }
}
