// One subscription: its events on the way to a callback or an iterator.
import { BufferOverflow, ConnectionLost } from './errors.js';
import type { BufferPolicy, SubscribeOptions } from './options.js';
import { report } from './report.js';

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
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE = { done: true, value: undefined } as const;

// What a topic carries is known to its subscriber only, hence `any`.
export class Feed implements Subscription<any> {
  readonly topic: string;
  readonly filter: Readonly<Record<string, unknown>> | undefined;
  readonly callback: ((args: [any]) => void) | undefined;
  readonly promise: Promise<this>;
  dropped = 0;
  /** Its number on the server. */
  number: number | undefined;
  /** Settle `promise`; only their first call counts. */
  taken!: () => void;
  refused!: (error: unknown) => void;

  /** A function by itself, for the stock subscription can be taken apart. */
  readonly unsubscribe = async (): Promise<void> => this.#stop();

  readonly #options: SubscribeOptions<any>;
  readonly #leave: () => void;
  readonly #buffer: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #aborted = (): void => this.#stop();
  #ended = false;
  #failure: unknown;

  constructor(
    topic: string,
    options: SubscribeOptions<any>,
    callback: ((args: [any]) => void) | undefined,
    leave: (feed: Feed) => void,
  ) {
    this.topic = topic;
    this.filter = Object.keys(options.filter ?? {}).length > 0 ? { ...options.filter } : undefined;
    this.callback = callback;
    this.#options = options;
    this.#leave = () => leave(this);
    this.promise = new Promise((resolve, reject) => {
      this.taken = () => resolve(this);
      this.refused = reject;
    });
    // Who iterates learns of a refusal there, and need not look at the promise.
    this.promise.catch(() => {});
    options.signal?.addEventListener('abort', this.#aborted);
  }

  deliver(payload: unknown): void {
    if (this.callback) report(() => this.callback!([payload]));
    else if (this.#options.onEvent) report(() => this.#options.onEvent!(payload));
    else {
      const waiter = this.#waiters.shift();
      if (waiter) waiter.resolve({ done: false, value: payload });
      else this.#keep(payload);
    }
  }

  gap(missed: number | undefined): void {
    report(() => this.#options.onGap?.(missed));
  }

  /** No events come any more, because of `failure` if that is given. */
  end(failure?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.refused(failure ?? new ConnectionLost(`the subscription to ${this.topic} was ended`));
    this.#waiters.splice(0).forEach((waiter) => this.#finish(waiter));
  }

  [Symbol.asyncIterator](): AsyncIterator<any, undefined> {
    return {
      next: () =>
        new Promise((resolve, reject) => {
          if (this.#buffer.length > 0) resolve({ done: false, value: this.#buffer.shift() });
          else if (this.#ended) this.#finish({ resolve, reject });
          else this.#waiters.push({ resolve, reject });
        }),
      return: async () => {
        this.#stop();
        return DONE;
      },
    };
  }

  #stop(): void {
    this.#buffer.length = 0;
    this.end();
    this.#leave();
  }

  // A failure is thrown once, as of any iterator.
  #finish(waiter: Waiter): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) waiter.resolve(DONE);
    else waiter.reject(failure);
  }

  #keep(payload: unknown): void {
    const { keep, overflow } = limits(this.#options.buffer);
    this.#buffer.push(payload);
    if (this.#buffer.length <= keep) return;
    this.dropped += 1;
    if (overflow === 'dropOldest') this.#buffer.shift();
    else this.#buffer.pop();
    if (overflow === 'fail') {
      this.end(new BufferOverflow(this.topic, keep));
      this.#leave();
    }
  }
}

function limits(policy: BufferPolicy = 'all'): Exclude<BufferPolicy, string> {
  if (policy === 'all') return { keep: Infinity, overflow: 'fail' };
  return policy === 'latest' ? { keep: 1, overflow: 'dropOldest' } : policy;
}
