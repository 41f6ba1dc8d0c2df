// One subscription: its events on the way to a callback or an iterator.
import { BufferOverflow, ConnectionLost } from './errors.js';
import type { BufferPolicy, SubscribeOptions } from './options.js';
import { createQueue } from './queue.js';
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

// What a topic carries is known to its subscriber only, hence `any`.
/** A subscription as the session sees it. */
export interface Feed extends Subscription<any> {
  filter?: Readonly<Record<string, unknown>> | undefined;
  dropped: number;
  /** Its number on the server. */
  number?: number | undefined;
  /** Whether some server took it, so that it can have missed events. */
  established?: boolean;
  ended?: boolean;
  /** An event for this subscription alone has come. */
  began?: boolean;
  /** It was resumed, so that its topic is no stream of its own. */
  resumed?: boolean;
  /** The server has taken it. */
  taken(): void;
  deliver(payload: unknown): void;
  gap(missed: number | undefined): void;
  /** No events come any more, because of `failure` if that is given. */
  end(failure?: unknown): void;
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** Older browsers do not have it yet; then it is no more than a name that nobody asks for. */
export const dispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? /* @__PURE__ */ (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose);

/** `leave` is called when whoever listens ends it, or cannot keep up. */
export function createFeed(
  topic: string,
  options: SubscribeOptions<any>,
  callback: ((args: [any]) => void) | undefined,
  leave: (feed: Feed) => void,
  report: Report,
): Feed {
  const { signal, onEvent, onEnd, onGap } = options;
  const { keep, overflow } = limits(options.buffer);
  const buffer = createQueue<unknown>();
  const waiters: Waiter[] = [];
  let failure: unknown;
  let settle!: { resolve(feed: Feed): void; reject(error: unknown): void };
  const promise = new Promise<Feed>((resolve, reject) => (settle = { resolve, reject }));
  // An iterator throws the refusal itself, so the promise may stay unhandled.
  promise.catch(() => {});
  const listener = callback ? (payload: unknown): void => callback([payload]) : onEvent;

  const run = (work: () => unknown): void => guarded(report, { topic }, work);

  const serve = ({ resolve, reject }: Waiter): void => {
    if (buffer.length > 0) return resolve({ done: false, value: buffer.shift() });
    const reason = failure;
    // It is thrown once, as of any iterator.
    failure = undefined;
    if (reason === undefined) resolve({ done: true, value: undefined });
    else reject(reason);
  };

  /** Whether it had not ended before. */
  const finish = (why: unknown, reason = why): boolean => {
    if (feed.ended) return false;
    feed.ended = true;
    failure = why;
    signal?.removeEventListener('abort', aborted);
    settle.reject(reason ?? new ConnectionLost(`the subscription of ${topic} was ended`));
    waiters.splice(0).forEach(serve);
    return true;
  };

  /** Whoever listens asked for it. */
  const stop = (reason?: unknown): void => {
    buffer.clear();
    if (finish(undefined, reason)) leave(feed);
  };
  const aborted = (): void => stop(signal!.reason);
  const unsubscribe = async (): Promise<void> => stop();

  const iterator = (): AsyncIterator<any, undefined> => ({
    next: () =>
      new Promise((resolve, reject) => {
        const waiter = { resolve, reject };
        if (feed.ended || buffer.length > 0) serve(waiter);
        else waiters.push(waiter);
      }),
    return: async () => {
      stop();
      return { done: true, value: undefined };
    },
  });

  const feed: Feed = {
    topic,
    callback,
    promise,
    dropped: 0,
    unsubscribe,
    [dispose]: unsubscribe,
    [Symbol.asyncIterator]: iterator,
    readable() {
      const events = iterator();
      return new ReadableStream({
        async pull(controller) {
          const { done, value } = await events.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => stop(),
      });
    },
    taken() {
      feed.established = true;
      settle.resolve(feed);
    },
    deliver(payload) {
      if (feed.ended) return;
      if (listener) return run(() => listener(payload));
      buffer.push(payload);
      const waiter = waiters.shift();
      if (waiter) return serve(waiter);
      if (buffer.length <= keep) return;
      feed.dropped += 1;
      if (overflow === 'dropOldest') buffer.shift();
      else buffer.pop();
      if (overflow === 'fail') {
        feed.end(new BufferOverflow(topic, keep));
        leave(feed);
      }
    },
    gap(missed) {
      if (!feed.ended) run(() => onGap?.(missed));
    },
    end(why) {
      if (!finish(why)) return;
      if (onEnd) run(() => onEnd(why));
      // Without an iterator the callback is the only place for the error: the promise is already fulfilled.
      else if (why !== undefined && feed.established && listener) report(why, { topic });
    },
  };
  signal?.addEventListener('abort', aborted);
  return feed;
}

function limits(policy: BufferPolicy = { keep: 1024, overflow: 'fail' }): Exclude<BufferPolicy, string> {
  // The default is as much as in the Rust client: who is further behind does not keep up.
  if (policy === 'all') return { keep: Infinity, overflow: 'fail' };
  if (policy === 'latest') return { keep: 1, overflow: 'dropOldest' };
  if (!(policy.keep >= 1)) throw new RangeError(`invalid keep: ${policy.keep}`);
  return policy;
}
