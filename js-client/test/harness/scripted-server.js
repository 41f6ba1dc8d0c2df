// A server of which a test decides every message, for what real servers do not show.
import { decode, encode } from '@msgpack/msgpack';
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { Assembly, cut } from '../../dist/wire/chunks.js';

const EXTENSIONS = ['subscribe', 'cancel', 'progress', 'deadline', 'resume', 'manifest', 'refresh'];

/** One connection as the server sees it. */
class Peer {
  #socket;
  #received = [];
  #arrived = () => {};
  #sent = 0;
  /** The length of the largest frame so far. */
  largest = 0;

  constructor(socket) {
    const assembly = new Assembly();
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.on('message', (frame) => {
      this.largest = Math.max(this.largest, frame.byteLength);
      const packed = assembly.add(frame);
      if (packed) this.#received.push(decode(packed));
      this.#arrived();
    });
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

  drop() {
    this.#socket.terminate();
  }
}

export async function scriptedServer() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const peers = [];
  let connected = () => {};
  server.on('connection', (socket) => {
    peers.push(new Peer(socket));
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
