// One connection, from opening the socket over the greeting to its end.
import { AuthenticationError, ConnectionLost, ProtocolError, WslinkError, type CloseInfo } from './errors.js';
import { request, type Hello, type Incoming, type Request } from './messages.js';
import type { SocketLike } from './options.js';
import type { Wire } from './wire/wire.js';

const HELLO_ID = 'system:c0:0';
const OPEN = 1;

export interface LinkEvents {
  ready(hello: Hello): void;
  message(message: Incoming): void;
  /** Called once, whatever ended the connection. */
  end(error: WslinkError): void;
}

export class Link {
  readonly #socket: SocketLike;
  readonly #codec;
  readonly #events: LinkEvents;
  readonly #timer;
  #greeted = false;
  #ended = false;

  constructor(socket: SocketLike, wire: Wire, greeting: object, timeout: number, events: LinkEvents) {
    this.#socket = socket;
    this.#codec = wire.codec();
    this.#events = events;
    this.#timer = setTimeout(() => this.#end(new ConnectionLost('the server did not answer in time')), timeout);

    let failure: unknown;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.send(request(HELLO_ID, 'wslink.hello', [greeting], {}));
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#receive(data);
    socket.onerror = (event) => {
      failure = event;
    };
    socket.onclose = (close: CloseInfo) => this.#end(new ConnectionLost(described(close), { close, cause: failure }));
  }

  /** Sends a message; throws what cannot be packed. */
  send(message: Request): void {
    const frames = this.#codec.encode(message);
    if (this.#socket.readyState === OPEN) frames.forEach((frame) => this.#socket.send(frame));
  }

  /** Ends the connection; what the server does about it is not waited for. */
  close(): void {
    this.#end(new ConnectionLost('the session was closed', { close: { code: 1000, reason: '', wasClean: true } }));
  }

  #receive(frame: string | ArrayBuffer): void {
    if (this.#ended) return;
    let message: Incoming | undefined;
    try {
      message = this.#codec.decode(frame);
    } catch (error) {
      this.#end(error instanceof WslinkError ? error : new ProtocolError('a frame is no message', error));
      return;
    }
    if (!message) return;
    if (this.#greeted) this.#events.message(message);
    else if (message.id === HELLO_ID) this.#greet(message);
  }

  #greet({ error, result }: Incoming): void {
    if (error) {
      this.#end(new AuthenticationError(error.message, error.code));
      return;
    }
    const hello = result as Hello | null | undefined;
    if (typeof hello?.clientID !== 'string') {
      this.#end(new ProtocolError('the answer to hello has no client id'));
      return;
    }
    clearTimeout(this.#timer);
    this.#greeted = true;
    if (hello.maxMsgSize) this.#codec.limitFrames(hello.maxMsgSize);
    this.#events.ready(hello);
  }

  #end(error: WslinkError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    this.#events.end(error);
  }
}

function described({ code, reason }: CloseInfo): string {
  return `the connection ended (${code}${reason && `: ${reason}`})`;
}
