// The calls of a session: those that wait to be sent and those that wait for their reply.
import { CallTimeout, ConnectionLost, errorOfReply, type WslinkError } from './errors.js';
import type { Link } from './link.js';
import { errorOf, request, type Hello, type Incoming } from './messages.js';
import type { CallOptions } from './options.js';
import { Queue } from './queue.js';
import { guarded, type Report } from './report.js';
import { after, now } from './timer.js';
import type { Trace } from './trace.js';

type Args = readonly unknown[];
type Kwargs = Readonly<Record<string, unknown>>;

/** A call on its way. */
interface Call {
  readonly id: string;
  readonly method: string;
  readonly deadline: number;
  readonly onProgress: ((progress: any) => void) | undefined;
  /** Undefined while a `Blob` is read, and once it was sent. */
  content: [Args, Kwargs] | undefined;
  stage: 'waiting' | 'sent' | 'settled';
  settle(error: unknown, result?: unknown): void;
}

/** What a call says. */
export interface CallRequest {
  readonly method: string;
  readonly args: Args | Promise<Args>;
  readonly kwargs: Kwargs | Promise<Kwargs>;
  readonly options: CallOptions<any>;
  readonly kind?: 'rpc' | 'system';
}

/** Sends a system call at once, whatever waits; its reply is heard before the message after it. */
export type AskSystem = (
  method: string,
  args: Args,
  kwargs: Kwargs,
  answered?: (error: unknown, result: unknown) => void,
) => void;

export class Calls {
  /** In the order of calling, which is the order of sending; some may be settled already. */
  readonly #waiting = new Queue<Call>();
  #settled = 0;
  #flushing = false;
  readonly #sent = new Map<string, Call>();
  readonly #report: Report;
  readonly #trace: Trace;
  #link: Link | undefined;
  #extensions: ReadonlySet<string> = new Set();
  /** Calls that the server takes at once. */
  #most = Infinity;
  #count = 0;
  /** Calls of the application that wait for their reply. */
  inFlight = 0;

  constructor(report: Report, trace: Trace) {
    this.#report = report;
    this.#trace = trace;
  }

  connected(link: Link, { extensions, limits }: Hello): void {
    this.#link = link;
    this.#extensions = extensions;
    this.#most = limits['callsInFlight'] || Infinity;
  }

  /** Sends what waits, up to the first call whose content is not there yet, and no more than the server takes at once. */
  flush(): void {
    // A call that fails while it is sent comes back here.
    if (this.#flushing) return;
    this.#flushing = true;
    for (let call = this.#waiting.first; call; call = this.#waiting.first) {
      const isReady = call.content && this.inFlight < this.#most && this.#link?.isOpen;
      if (call.stage === 'settled') this.#settled -= 1;
      else if (!isReady) break;
      this.#waiting.shift();
      if (call.stage === 'waiting') this.#send(call);
    }
    this.#flushing = false;
  }

  /** Ends what was sent; what was not goes on waiting. */
  dropped(error: WslinkError): void {
    this.#link = undefined;
    const { close, cause = error } = error as Partial<ConnectionLost> & WslinkError;
    const lost = new ConnectionLost(error.message, { maybeExecuted: true, close, cause });
    for (const call of [...this.#sent.values()]) call.settle(lost);
  }

  /** Ends what waits. */
  refuseWaiting(error: WslinkError): void {
    while (this.#waiting.first) {
      const call = this.#waiting.shift();
      if (call.stage === 'waiting') {
        call.stage = 'settled';
        call.settle(error);
      }
    }
    this.#settled = 0;
  }

  call({ method, args, kwargs, options, kind = 'rpc' }: CallRequest): Promise<unknown> {
    const [call, reply] = this.#begin(method, options, kind);
    const ready = (content: [Args, Kwargs]): void => {
      call.content = content;
      this.flush();
    };
    if (args instanceof Promise || kwargs instanceof Promise) Promise.all([args, kwargs]).then(ready, call.settle);
    else ready([args, kwargs]);
    return reply;
  }

  /** Nothing here sees the arguments, which what waits for the reply would keep alive. */
  #begin(
    method: string,
    { signal, timeout, onProgress }: CallOptions<any>,
    kind: string,
  ): [call: Call, reply: Promise<unknown>] {
    const id = `${kind}:c:${this.#count++}`;
    const traced = this.#trace.add('call', method);
    const limit = timeout || Infinity;
    let resolve!: (result: unknown) => void;
    let reject!: (error: unknown) => void;
    const reply = new Promise((...given) => ([resolve, reject] = given));
    const giveUp = (reason: unknown): void => {
      if (call.stage === 'sent' && this.#extensions.has('cancel')) this.system('wslink.cancel', [id], {});
      call.settle(reason);
    };
    const aborted = (): void => giveUp(signal!.reason);
    const timer = after(limit, () => giveUp(new CallTimeout(method, call.stage === 'sent')));
    const call: Call = {
      id,
      method,
      deadline: now() + limit,
      onProgress,
      content: undefined,
      stage: 'waiting',
      settle: (error, result) => {
        const { stage } = call;
        call.stage = 'settled';
        call.content = undefined;
        timer.clear();
        signal?.removeEventListener('abort', aborted);
        this.#trace.settle(traced, error === undefined ? 'ok' : `${(error as Error | null)?.name}`);
        if (error === undefined) resolve(result);
        else reject(error);
        if (stage === 'waiting') {
          this.#settled += 1;
          if (this.#settled * 2 > this.#waiting.length) this.#forgetSettled();
        }
        if (stage === 'sent') {
          this.#sent.delete(id);
          this.inFlight -= 1;
        }
        // It may have been the one that the others waited for.
        if (stage !== 'settled') this.flush();
      },
    };
    signal?.addEventListener('abort', aborted);
    this.#waiting.push(call);
    return [call, reply];
  }

  /** Only while connected; a drop answers with `ConnectionLost`. */
  readonly system: AskSystem = (method, args, kwargs, answered) => {
    const id = `system:c:${this.#count++}`;
    const settle = (error: unknown, result?: unknown): void => {
      this.#sent.delete(id);
      answered?.(error, result);
    };
    const call: Call = {
      id,
      method,
      deadline: Infinity,
      onProgress: undefined,
      content: [args, kwargs],
      stage: 'sent',
      settle,
    };
    this.#sent.set(id, call);
    try {
      // What a closing socket does not take is answered by its end, which comes.
      this.#link?.send(request(id, method, args, kwargs));
    } catch (error) {
      settle(error);
    }
  };

  receive({ id, result, error, problem, ...rest }: Incoming): void {
    const call = this.#sent.get(id);
    if (!call) return;
    const context = { method: call.method };
    if ('progress' in rest) {
      if (problem) this.#report(problem, context);
      else guarded(this.#report, context, () => call.onProgress?.(rest.progress));
    } else if (problem) call.settle(problem);
    else if (error !== undefined) call.settle(errorOfReply(call.method, errorOf(error)));
    else call.settle(undefined, result);
  }

  /** Sends a call that is ready. */
  #send(call: Call): void {
    const [args, kwargs] = call.content!;
    const message = request(call.id, call.method, args, kwargs);
    const timed = call.deadline < Infinity && this.#extensions.has('deadline');
    // Whole milliseconds, of which the server takes no fractions.
    const left = Math.max(1, Math.ceil(call.deadline - now()));
    // The arguments may be large, and the reply far away.
    call.content = undefined;
    call.stage = 'sent';
    this.#sent.set(call.id, call);
    this.inFlight += 1;
    try {
      this.#link!.send(timed ? { ...message, timeout_ms: left } : message);
    } catch (error) {
      call.settle(error);
    }
  }

  /** Once for as many as are kept. */
  #forgetSettled(): void {
    this.#waiting.keep(({ stage }) => stage === 'waiting');
    this.#settled = 0;
  }
}
