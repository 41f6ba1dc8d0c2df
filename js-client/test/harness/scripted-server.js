// A server of which a test decides every message, for what real servers do not show.
import { decode, encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { assembly, cut } from '../../dist/wire/chunks.js';

const EXTENSIONS = ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'];

/** One connection as the server sees it. */
class Peer {
  #socket;
  #net;
  /** Whether the client speaks version 1. */
  #text = false;
  #received = [];
  #arrived = () => {};
  #sent = 0;
  /** The length of the largest frame so far. */
  largest = 0;

  constructor(socket, net) {
    const assemble = assembly();
    this.#socket = socket;
    this.#net = net;
    socket.binaryType = 'arraybuffer';
    socket.on('message', (frame, isBinary) => {
      this.largest = Math.max(this.largest, frame.byteLength ?? frame.length);
      if (!isBinary) {
        this.#text = true;
        this.#received.push(JSON.parse(frame.toString()));
      } else if (!this.#text) {
        const packed = assemble(frame);
        if (packed) this.#received.push(decode(Buffer.concat(packed)));
      }
      this.#arrived();
    });
  }

  /** What is sent by `send` arrives at once. */
  inOneSegment(send) {
    this.#net.cork();
    send();
    this.#net.uncork();
  }

  /** The next message of the client; asserts its method. */
  async next(method) {
    while (this.#received.length === 0) {
      await new Promise((resolve) => {
        this.#arrived = resolve;
      });
    }
    const message = this.#received.shift();
    if (message.method !== method) throw new Error(`expected ${method}, the client sent ${JSON.stringify(message)}`);
    return message;
  }

  send(message) {
    this.frames(message).forEach((frame) => this.#socket.send(frame));
  }

  /** The frames of a message, which a test may send in another order. */
  frames(message, frameBytes = 1 << 20) {
    if (this.#text) return [JSON.stringify(message)];
    return cut([encode(message, { useBigInt64: true })], ++this.#sent, frameBytes);
  }

  sendFrame(frame) {
    this.#socket.send(frame);
  }

  reply({ id }, result) {
    this.send({ id, result });
  }

  /** Answers hello and returns what it said. */
  async greet(result = {}) {
    const hello = await this.next('wslink.hello');
    this.reply(hello, { clientID: 'c1', extensions: EXTENSIONS, ...result });
    return hello.args[0];
  }

  event(topic, result, more = {}) {
    this.send({ id: `publish:${topic}:0`, ...(more.end ? {} : { result }), ...more });
  }

  /** The frame of a message that is packed already. */
  sendPacked(bytes) {
    cut([Uint8Array.from(bytes)], ++this.#sent, 1 << 20).forEach((frame) => this.#socket.send(frame));
  }

  /** Refuses hello. */
  async refuse(error = { code: -32000, message: 'Authentication failed' }) {
    const hello = await this.next('wslink.hello');
    this.send({ id: hello.id, error });
    return hello.args[0];
  }

  drop() {
    this.#socket.terminate();
  }
}

export async function scriptedServer(port = 0) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  await once(server, 'listening');
  const peers = [];
  let connected = () => {};
  server.on('connection', (socket, { socket: net }) => {
    peers.push(new Peer(socket, net));
    connected();
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}/ws`,
    /** The next connection. */
    async accept() {
      while (peers.length === 0) {
        await new Promise((resolve) => {
          connected = resolve;
        });
      }
      return peers.shift();
    },
    stop() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}
