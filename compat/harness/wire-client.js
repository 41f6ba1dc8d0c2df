// A client that shows single messages and frames, for what the stock clients hide.
import { decode, encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const HEADER = 12;

export class WireClient {
  #socket;
  #frames = [];
  #arrived = () => {};

  static async open(url, protocol) {
    const client = new WireClient(new WebSocket(url), protocol);
    await once(client.#socket, 'open');
    return client;
  }

  constructor(socket, protocol) {
    this.#socket = socket;
    this.protocol = protocol;
    this.closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
    socket.on('message', (data, isBinary) => {
      this.#frames.push(isBinary ? data : String(data));
      this.#arrived();
    });
  }

  send(message) {
    if (this.protocol === 'v1') this.sendFrame(JSON.stringify(message));
    else chunks(encode(message), 1, Infinity).forEach((chunk) => this.sendFrame(chunk));
  }

  sendFrame(frame) {
    this.#socket.send(frame);
  }

  // The next frame as it came: text or a Buffer.
  async nextFrame() {
    while (this.#frames.length === 0) {
      await new Promise((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#frames.shift();
  }

  // The next message; in v2 only messages of one chunk.
  async next() {
    const frame = await this.nextFrame();
    return this.protocol === 'v1' ? JSON.parse(frame) : decode(frame.subarray(HEADER));
  }

  async ask(message) {
    this.send({ wslink: '1.0', args: [], kwargs: {}, ...message });
    return this.next();
  }

  hello(secret = 'wslink-secret') {
    return this.ask({ id: 'system:c0:0', method: 'wslink.hello', args: [{ secret }] });
  }

  async close() {
    this.#socket.close();
    await this.closed;
  }
}

// Cuts one packed message into v2 frames with at most `size` bytes of content each.
export function chunks(packed, id, size) {
  const frames = [];
  for (let offset = 0; offset < packed.length; offset += size) {
    const content = packed.subarray(offset, offset + size);
    const frame = Buffer.alloc(HEADER + content.length);
    frame.writeUInt32LE(id, 0);
    frame.writeUInt32LE(offset, 4);
    frame.writeUInt32LE(packed.length, 8);
    frame.set(content, HEADER);
    frames.push(frame);
  }
  return frames;
}
