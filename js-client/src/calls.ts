// The calls of a session: those that wait to be sent and those that wait for their reply.
import {
  CallTimeout,
  ConnectionLost,
  DEADLINE_EXCEEDED,
  MessageTooLarge,
  TOO_LARGE,
  type WslinkError,
} from './errors.js';
import type { Link } from './link.js';
import { callErrorOf, request, type Hello, type Incoming } from './messages.js';
import type { CallOptions } from './options.js';
import { createQueue } from './queue.js';
import { guarded, type Report } from './report.js';
import { after, now } from './timer.js';
import type { Trace } from './trace.js';

type Args = readonly unknown[];
type Kwargs = Readonly<Record<string, unknown>>;

/** A call on its way. */
interface Call {
  /** Given when it is sent: counted for each connection, as the Rust client does. */
  id?: string;
  /** What its id begins with. */
  readonly kind: string;
  readonly method: string;
  readonly deadline: number;
  readonly onProgress: ((progress: any) => void) | undefined;
  /** Undefined while a `Blob` is read, and once it was sent. */
  content: [Args, Kwargs] | undefined;
  /** Does nothing the second time. */
  settle(error: unknown, result?: unknown): void;
}

/** What a call says. */
export interface CallRequest {
  readonly method: string;
  readonly args: Args | Promise<Args>;
  readonly kwargs: Kwargs | Promise<Kwargs>;
  readonly options: CallOptions<any>;
  /** What its id begins with. */
  readonly kind: string;
}

/** Sends a system call at once, whatever waits; its reply is heard before the message after it. */
export type AskSystem = (
  method: string,
  args: Args,
  kwargs: Kwargs,
  answered?: (error: unknown, result: unknown) => void,
) => void;

export interface Calls {
  /** Of the newest connection; none with a stock server, and before the first. */
  extensions: ReadonlySet<string>;
  limits: Readonly<Record<string, number>>;
  /** Whether calls of the application wait for their reply. */
  areInFlight(): boolean;
  connected(link: Link, hello: Hello): void;
  /** Sends what waits, up to the first call whose content is not there yet, and no more than the server takes at once. */
  flush(): void;
  /** Ends what was sent; what was not goes on waiting. */
  dropped(error: WslinkError): void;
  /** Ends what waits. */
  refuseWaiting(error: WslinkError): void;
  call(request: CallRequest): Promise<unknown>;
  /** Only while connected; a drop answers with `ConnectionLost`. */
  readonly system: AskSystem;
  receive(message: Incoming): void;
}

export function createCalls(report: Report, trace: Trace): Calls {
  /** In the order of calling, which is the order of sending. */
  const waiting = createQueue<Call>();
  const sent = new Map<string, Pick<Call, 'method' | 'settle' | 'onProgress'>>();
  let link: Link | undefined;
  /** The first request of a connection is hello. */
  let count = 1;
  let inFlight = 0;
  let flushing = false;

  const flush = (): void => {
    // A call that fails while it is sent comes back here.
    if (flushing) return;
    flushing = true;
    const most = self.limits['callsInFlight'] || Infinity;
    for (let call = waiting.first; call?.content && inFlight < most && link?.isOpen(); call = waiting.first) {
      waiting.shift();
      send(call);
    }
    flushing = false;
  };

  /** Sends a call that is ready. */
  const send = (call: Call): void => {
    const { kind, method, deadline, content } = call;
    const id = (call.id = `${kind}:${count++}`);
    const message = request(id, method, ...content!);
    const timed = deadline < Infinity && self.extensions.has('deadline');
    // The arguments may be large, and the reply far away.
    call.content = undefined;
    sent.set(id, call);
    inFlight += 1;
    try {
      // Whole milliseconds, of which the server takes no fractions.
      link!.send(timed ? { ...message, timeout_ms: Math.max(1, Math.ceil(deadline - now())) } : message);
    } catch (error) {
      call.settle(error);
    }
  };

  const system: AskSystem = (method, args, kwargs, answered) => {
    const id = `system:c0:${count++}`;
    const settle = (error: unknown, result?: unknown): void => {
      sent.delete(id);
      answered?.(error, result);
    };
    sent.set(id, { method, settle, onProgress: undefined });
    try {
      // What a closing socket does not take is answered by its end, which comes.
      link?.send(request(id, method, args, kwargs));
    } catch (error) {
      settle(error);
    }
  };

  const self: Calls = {
    extensions: new Set(),
    limits: {},
    areInFlight: () => inFlight > 0,
    connected(opened, { extensions, limits }) {
      link = opened;
      count = 1;
      self.extensions = extensions;
      self.limits = limits;
    },
    flush,
    dropped(error) {
      link = undefined;
      const { close, cause = error } = error as Partial<ConnectionLost>;
      const lost = new ConnectionLost(error.message, { maybeExecuted: true, close, cause });
      for (const call of [...sent.values()]) call.settle(lost);
    },
    refuseWaiting(error) {
      while (waiting.first) waiting.first.settle(error);
    },
    // No function in here refers to the arguments, which what waits for the reply would keep alive.
    call({ kind, method, args, kwargs, options: { signal, timeout, onProgress } }) {
      const traced = trace.add('call', method);
      const limit = timeout || Infinity;
      let resolve!: (result: unknown) => void;
      let reject!: (error: unknown) => void;
      const reply = new Promise((...given) => ([resolve, reject] = given));
      const isSent = (): boolean => sent.get(call.id!) === call;
      const giveUp = (reason: unknown): void => {
        if (isSent() && self.extensions.has('cancel')) system('wslink.cancel', [call.id], {});
        settle(reason);
      };
      const aborted = (): void => giveUp(signal!.reason);
      const cancel = after(limit, () => giveUp(new CallTimeout(method, isSent())));
      const settle = (error: unknown, result?: unknown): void => {
        if (isSent() && sent.delete(call.id!)) inFlight -= 1;
        else if (!waiting.remove(place)) return;
        cancel();
        signal?.removeEventListener('abort', aborted);
        traced.outcome = error === undefined ? 'ok' : `${(error as Error | null)?.name}`;
        traced.took = now() - traced.at;
        if (error === undefined) resolve(result);
        else reject(error);
        // It may have been the one that the others waited for.
        flush();
      };
      const call: Call = { kind, method, deadline: now() + limit, onProgress, content: undefined, settle };
      const place = waiting.push(call);
      signal?.addEventListener('abort', aborted);
      const ready = (content: [Args, Kwargs]): void => {
        call.content = content;
        flush();
      };
      if (args instanceof Promise || kwargs instanceof Promise) Promise.all([args, kwargs]).then(ready, settle);
      else ready([args, kwargs]);
      return reply;
    },
    system,
    receive(message) {
      const call = sent.get(message.id);
      if (!call) return;
      const { method } = call;
      const { problem, error } = message;
      if ('progress' in message) {
        if (problem) report(problem, { method });
        else guarded(report, { method }, () => call.onProgress?.(message.progress));
      } else if (problem || error === undefined) call.settle(problem, message.result);
      else call.settle(failureOf(method, error));
    },
  };
  return self;
}

/** The error of a reply, in its most telling class. */
function failureOf(method: string, error: unknown): WslinkError {
  const failure = callErrorOf(error);
  const { limit, got } = Object(failure.data) as { limit?: unknown; got?: unknown };
  if (failure.code === DEADLINE_EXCEEDED) return new CallTimeout(method, true);
  if (failure.code === TOO_LARGE && typeof limit === 'number' && typeof got === 'number') {
    return new MessageTooLarge(method, limit, got);
  }
  return failure;
}
