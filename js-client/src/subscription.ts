// One subscription: its events on the way to a callback or an iterator.
import { BufferOverflow, ConnectionLost } from './errors.js';
import type { BufferPolicy, SubscribeOptions } from './options.js';
import { Queue } from './queue.js';
import { guarded, type Report } from './report.js';

declare global {
  // As in the library of the compiler, for users whose settings leave it out.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** What `subscribe` returns. Leaving a loop over it ends it. */
export interface Subscription<Payload = unknown> extends AsyncIterable<Payload> {
  readonly topic: string;
  /** The callback of the stock form of `subscribe`. */
  readonly callback: ((args: [Payload]) => void) | undefined;
  /** Settles when the server has taken the subscription or refused it. */
  readonly promise: Promise<Subscription<Payload>>;
  /** How many events the buffer policy dropped. */
  readonly dropped: number;
  unsubscribe(): Promise<void>;
  /** The events as a stream, which ends the subscription when it is cancelled. */
  readable(): ReadableStream<Payload>;
  [Symbol.asyncIterator](): AsyncIterator<Payload, undefined>;
  /** The same as `unsubscribe`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE = { done: true, value: undefined } as const;
/** As much as in the Rust client: who is further behind does not keep up. */
const KEEP: Exclude<BufferPolicy, string> = { keep: 1024, overflow: 'fail' };

// What a topic carries is known to its subscriber only, hence `any`.
export class Feed implements Subscription<any> {
  readonly topic: string;
  filter: Readonly<Record<string, unknown>> | undefined;
  readonly callback: ((args: [any]) => void) | undefined;
  readonly promise: Promise<Feed>;
  dropped = 0;
  /** Its number on the server. */
  number: number | undefined;
  /** Whether some server took it, so that it can have missed events. */
  established = false;
  ended = false;
  declare [Symbol.asyncDispose]: () => Promise<void>;

  /** A function by itself, for the stock subscription can be taken apart. */
  readonly unsubscribe = async (): Promise<void> => this.#stop();

  readonly #options: SubscribeOptions<any>;
  readonly #report: Report;
  readonly #leave: () => void;
  readonly #keep: number;
  readonly #overflow: string;
  readonly #buffer = new Queue<unknown>();
  readonly #waiters: Waiter[] = [];
  readonly #aborted = (): void => this.#stop(this.#options.signal!.reason);
  #settle!: { resolve(feed: Feed): void; reject(error: unknown): void };
  #failure: unknown;

  constructor(
    topic: string,
    options: SubscribeOptions<any>,
    callback: ((args: [any]) => void) | undefined,
    leave: (feed: Feed) => void,
    report: Report,
  ) {
    this.topic = topic;
    this.callback = callback;
    this.#options = options;
    this.#report = report;
    this.#leave = () => leave(this);
    ({ keep: this.#keep, overflow: this.#overflow } = limits(options.buffer));
    this.promise = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Who iterates learns of a refusal there, and need not look at the promise.
    this.promise.catch(() => {});
    options.signal?.addEventListener('abort', this.#aborted);
    this[dispose] = this.unsubscribe;
  }

  /** The server has taken it. */
  taken(): void {
    this.established = true;
    this.#settle.resolve(this);
  }

  deliver(payload: unknown): void {
    if (this.ended) return;
    const { callback } = this;
    const { onEvent } = this.#options;
    if (callback) this.#guarded(() => callback([payload]));
    else if (onEvent) this.#guarded(() => onEvent(payload));
    else {
      const waiter = this.#waiters.shift();
      if (waiter) waiter.resolve({ done: false, value: payload });
      else this.#wait(payload);
    }
  }

  gap(missed: number | undefined): void {
    if (!this.ended) this.#guarded(() => this.#options.onGap?.(missed));
  }

  /** No events come any more, because of `failure` if that is given. */
  end(failure?: unknown): void {
    if (!this.#finish(failure)) return;
    const { onEnd } = this.#options;
    if (onEnd) this.#guarded(() => onEnd(failure));
    // Nobody else would hear of it: the promise was fulfilled long ago, and nobody iterates.
    else if (failure !== undefined && this.established && (this.callback || this.#options.onEvent)) {
      this.#report(failure, { topic: this.topic });
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<any, undefined> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          if (this.#buffer.length > 0) resolve({ done: false, value: this.#buffer.shift() });
          else if (this.ended) this.#finishWaiter({ resolve, reject });
          else this.#waiters.push({ resolve, reject });
        }),
      return: async () => {
        this.#stop();
        return DONE;
      },
    };
  }

  readable(): ReadableStream<any> {
    const events = this[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => this.#stop(),
    });
  }

  /** Whoever listens asked for it. */
  #stop(reason?: unknown): void {
    this.#buffer.clear();
    if (this.#finish(undefined, reason)) this.#leave();
  }

  /** Whether it had not ended before. */
  #finish(failure: unknown, reason = failure): boolean {
    if (this.ended) return false;
    this.ended = true;
    this.#failure = failure;
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#settle.reject(reason ?? new ConnectionLost(`the subscription of ${this.topic} was ended`));
    this.#waiters.splice(0).forEach((waiter) => this.#finishWaiter(waiter));
    return true;
  }

  // A failure is thrown once, as of any iterator.
  #finishWaiter(waiter: Waiter): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) waiter.resolve(DONE);
    else waiter.reject(failure);
  }

  #wait(payload: unknown): void {
    this.#buffer.push(payload);
    if (this.#buffer.length <= this.#keep) return;
    this.dropped += 1;
    if (this.#overflow === 'dropOldest') this.#buffer.shift();
    else this.#buffer.pop();
    if (this.#overflow === 'fail') {
      this.end(new BufferOverflow(this.topic, this.#keep));
      this.#leave();
    }
  }

  #guarded(callback: () => unknown): void {
    guarded(this.#report, { topic: this.topic }, callback);
  }
}

/** Older browsers do not have it yet; then it is no more than a name that nobody asks for. */
export const dispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? /* @__PURE__ */ (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

function limits(policy: BufferPolicy = KEEP): Exclude<BufferPolicy, string> {
  if (policy === 'all') return { keep: Infinity, overflow: 'fail' };
  if (policy === 'latest') return { keep: 1, overflow: 'dropOldest' };
  if (!(policy.keep >= 1)) throw new RangeError(`invalid keep: ${policy.keep}`);
  return policy;
}
