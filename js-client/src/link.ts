// One connection, from opening the socket over hello to its end.
import {
  AUTHENTICATION_FAILED,
  AuthenticationError,
  CallError,
  ConnectionLost,
  ProtocolError,
  WslinkError,
  type CloseInfo,
} from './errors.js';
import { errorOf, helloOf, request, topicOf, type Hello, type Incoming, type Request } from './messages.js';
import type { SocketLike } from './options.js';
import { Queue } from './queue.js';
import { soon } from './timer.js';
import type { Wire } from './wire/wire.js';

const HELLO_ID = 'system:c0:0';
const OPEN = 1;

export interface LinkEvents {
  ready(hello: Hello): void;
  message(message: Incoming): void;
  /** Anything came from the server, also a part of a message. */
  heard(): void;
  /** Called once, whatever ended the connection. */
  end(error: WslinkError): void;
}

export class Link {
  readonly #socket: SocketLike;
  readonly #codec;
  readonly #events: LinkEvents;
  /** What came behind a message of the other kind in the same turn: a promise and a callback are never served in one. */
  readonly #inbox = new Queue<Incoming | WslinkError>();
  #turn: 'callback' | 'reply' | undefined;
  #opened = false;
  #greeted = false;
  #ended = false;

  constructor(socket: SocketLike, wire: Wire, maxBytes: number, greeting: object, events: LinkEvents) {
    this.#socket = socket;
    this.#codec = wire.codec(maxBytes);
    this.#events = events;

    let failure: unknown;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#hello(greeting);
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#receive(data);
    socket.onerror = (event) => {
      failure = event;
      const unmade = new ConnectionLost('the connection could not be made', { cause: event });
      // Node.js 22 tells of no end where there was no beginning.
      if (!this.#opened) soon(() => this.end(unmade));
    };
    socket.onclose = (close: CloseInfo) => this.#take(new ConnectionLost(described(close), { close, cause: failure }));
  }

  /** Whether the socket takes messages: it may be closing already. */
  get isOpen(): boolean {
    return !this.#ended && this.#socket.readyState === OPEN;
  }

  /** Throws what cannot be packed. */
  send(message: Request): void {
    if (this.isOpen) this.#codec.encode(message).forEach((frame) => this.#socket.send(frame));
  }

  /** Ends the connection; what the server does about it is not waited for. */
  end(error: WslinkError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inbox.clear();
    this.#socket.close();
    this.#events.end(error);
  }

  #hello(greeting: object): void {
    this.#opened = true;
    try {
      this.send(request(HELLO_ID, 'wslink.hello', [greeting], {}));
    } catch (error) {
      this.end(error as WslinkError);
    }
  }

  #receive(frame: string | ArrayBuffer): void {
    if (this.#ended) return;
    this.#events.heard();
    this.#endingOnErrors(() => {
      const message = this.#codec.decode(frame);
      if (message) this.#take(message);
    });
  }

  /** Handles it, now or behind what waits. */
  #take(item: Incoming | WslinkError): void {
    if (this.#inbox.length === 0 && this.#isItsTurn(item)) return this.#handle(item);
    this.#inbox.push(item);
    if (this.#inbox.length === 1) soon(() => this.#drain());
  }

  #drain(): void {
    this.#turn = undefined;
    while (this.#inbox.first) {
      if (!this.#isItsTurn(this.#inbox.first)) return soon(() => this.#drain());
      this.#handle(this.#inbox.shift());
    }
  }

  // Whoever awaits a reply runs before callbacks hear of the event behind it, and the other way round.
  #isItsTurn(item: Incoming | WslinkError): boolean {
    if (item instanceof WslinkError) return true;
    const kind = topicOf(item) === undefined && !('progress' in item) ? 'reply' : 'callback';
    if (this.#turn !== undefined) return this.#turn === kind;
    this.#turn = kind;
    // In most environments each message comes in a task of its own, before which all that awaits has run.
    queueMicrotask(() => (this.#turn = undefined));
    return true;
  }

  #handle(item: Incoming | WslinkError): void {
    if (this.#ended) return;
    if (item instanceof WslinkError) return this.end(item);
    this.#endingOnErrors(() => {
      if (this.#greeted) this.#events.message(item);
      else if (item.id === HELLO_ID) this.#greet(item);
    });
  }

  /** A message that breaks the protocol ends the connection, and never the process. */
  #endingOnErrors(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.end(error instanceof WslinkError ? error : new ProtocolError('a frame is no message', error));
    }
  }

  #greet({ problem, error, result }: Incoming): void {
    if (problem) return this.end(problem);
    if (error !== undefined) {
      const { code, message, data } = errorOf(error);
      const refused = code === AUTHENTICATION_FAILED;
      return this.end(refused ? new AuthenticationError(message, code) : new CallError(code, message, data));
    }
    const hello = helloOf(result);
    this.#greeted = true;
    this.#codec.limitFrames(hello.limits['maxMsgSize'] ?? hello.maxMsgSize, hello.limits['messageBytes']);
    this.#events.ready(hello);
  }
}

function described({ code, reason }: CloseInfo): string {
  return `the connection ended (${code}${reason && `: ${reason}`})`;
}
