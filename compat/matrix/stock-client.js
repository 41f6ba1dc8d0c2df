// One connection of a stock client, with promises in place of its callbacks.
import { withBytes } from './bytes.js';

export class StockClient {
  #connection;

  // `smart` goes through SmartConnect, as vtk.js and trame do, instead of WebsocketConnection.
  constructor(wslink, { url, secret = 'wslink-secret', smart = false }) {
    this.#connection = smart
      ? wslink.SmartConnect.newInstance({ config: { sessionURL: url, secret } })
      : wslink.WebsocketConnection.newInstance({ urls: url, secret });
  }

  get session() {
    return this.#connection.getSession();
  }

  // Settles with what the client reports first: ready, error or close.
  open() {
    return new Promise((resolve, reject) => {
      const settle = (finish) => (_connection, detail) => {
        subscriptions.forEach((subscription) => subscription.unsubscribe());
        finish(detail);
      };
      const subscriptions = [
        this.#connection.onConnectionReady(settle(resolve)),
        this.#connection.onConnectionError(settle(reject)),
        this.#connection.onConnectionClose(settle(reject)),
      ];
      this.#connection.connect();
    });
  }

  // The close event, whoever closes.
  closed() {
    return new Promise((resolve) => {
      this.#connection.onConnectionClose((_connection, event) => resolve(event));
    });
  }

  // `destroy` of the stock client would also ask the server to exit.
  close() {
    const closed = this.closed();
    this.session.close();
    return closed;
  }

  async call(method, args, kwargs) {
    return withBytes(await this.session.call(method, args, kwargs));
  }

  // What stands for the bytes in the arguments of a call.
  attach(bytes) {
    return this.session.addAttachment(bytes.buffer);
  }

  // The payloads of the next `count` events on a topic.
  collect(topic, count) {
    return new Promise((resolve) => {
      const payloads = [];
      const subscription = this.session.subscribe(topic, ([payload]) => {
        payloads.push(payload);
        if (payloads.length !== count) return;
        resolve(withBytes([...payloads]));
        // Unsubscribing in the callback would make the client skip the next subscriber of this event.
        queueMicrotask(() => subscription.unsubscribe());
      });
    });
  }
}
