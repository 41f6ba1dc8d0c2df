// A stretch of network that can be cut, and led to another server.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #sockets = new Set();
  #target;
  #server;

  static async to(url) {
    const proxy = new Proxy();
    proxy.lead(url);
    proxy.#server = createServer((near) => proxy.#join(near)).listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  // From now on new connections go to the server at `url`.
  lead(url) {
    this.#target = Number(new URL(url).port);
  }

  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop() {
    this.#server.close();
    this.cut();
  }

  #join(near) {
    const far = connect(this.#target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
