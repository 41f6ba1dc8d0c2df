// One connection, from opening the socket over hello to its end.
import {
  AUTHENTICATION_FAILED,
  AuthenticationError,
  ConnectionLost,
  ProtocolError,
  WslinkError,
  type CloseInfo,
} from './errors.js';
import { callErrorOf, helloOf, request, topicOf, type Hello, type Incoming, type Request } from './messages.js';
import type { SocketLike } from './options.js';
import { createQueue } from './queue.js';
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

export interface Link {
  /** Whether the socket takes messages: it may be closing already. */
  isOpen(): boolean;
  /** Throws what cannot be packed. */
  send(message: Request): void;
  /** Ends the connection; what the server does about it is not waited for. */
  end(error: WslinkError): void;
}

export function createLink(
  socket: SocketLike,
  wire: Wire,
  maxBytes: number,
  greeting: object,
  events: LinkEvents,
): Link {
  const codec = wire.codec(maxBytes);
  /** What came behind a message of the other kind in the same turn: a promise and a callback are never served in one. */
  const inbox = createQueue<Incoming | WslinkError>();
  /** Whether replies are served in this turn, or callbacks. */
  let replies: boolean | undefined;
  let opened = false;
  let greeted = false;
  let ended = false;
  let failure: unknown;

  const isOpen = (): boolean => !ended && socket.readyState === OPEN;
  const send = (message: Request): void => {
    if (isOpen()) codec.encode(message).forEach((frame) => socket.send(frame));
  };
  const end = (error: WslinkError): void => {
    if (ended) return;
    ended = true;
    inbox.clear();
    socket.close();
    events.end(error);
  };
  /** A message that breaks the protocol ends the connection, and never the process. */
  const endingOnErrors = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      end(error instanceof WslinkError ? error : new ProtocolError('a message cannot be handled', error));
    }
  };

  socket.binaryType = 'arraybuffer';
  socket.onopen = () => {
    opened = true;
    endingOnErrors(() => send(request(HELLO_ID, 'wslink.hello', [greeting], {})));
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (ended) return;
    events.heard();
    endingOnErrors(() => {
      const message = codec.decode(data);
      if (message) take(message);
    });
  };
  socket.onerror = (event) => {
    failure = event;
    const unmade = new ConnectionLost('the connection could not be made', { cause: event });
    // Node.js 22 tells of no end where there was no beginning.
    if (!opened) soon(() => end(unmade));
  };
  socket.onclose = (close: CloseInfo) => {
    const { code, reason } = close;
    take(new ConnectionLost(`the connection ended (${code}${reason && `: ${reason}`})`, { close, cause: failure }));
  };

  /** Handles it, now or behind what waits. */
  const take = (item: Incoming | WslinkError): void => {
    if (ended) return;
    inbox.push(item);
    if (inbox.length === 1) drain();
  };
  const drain = (): void => {
    for (let item = inbox.first; item; item = inbox.first) {
      if (item instanceof WslinkError) return end(item);
      const message = item;
      // Code that awaits a reply runs before the callbacks of the event behind it, and the other way round.
      const isReply = topicOf(message) === undefined && !('progress' in message);
      // In most environments each message comes in a task of its own, before which all that awaits has run.
      if (replies === undefined) queueMicrotask(() => (replies = undefined));
      replies ??= isReply;
      if (replies !== isReply) {
        return soon(() => {
          replies = undefined;
          drain();
        });
      }
      inbox.shift();
      endingOnErrors(() => {
        if (greeted) events.message(message);
        else if (message.id === HELLO_ID) greet(message);
      });
    }
  };
  const greet = ({ problem, error, result }: Incoming): void => {
    if (problem) throw problem;
    if (error !== undefined) {
      const refusal = callErrorOf(error);
      const { code, message } = refusal;
      throw code === AUTHENTICATION_FAILED ? new AuthenticationError(message, code) : refusal;
    }
    const hello = helloOf(result);
    greeted = true;
    codec.limitFrames(hello.limits['maxMsgSize'] ?? hello.maxMsgSize, hello.limits['messageBytes']);
    events.ready(hello);
  };

  return { isOpen, send, end };
}
