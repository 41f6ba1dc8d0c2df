// What all adapters share: the newest event of a topic, and the state of a session, as stores that are live while used.
import type { SessionState } from '../connector.js';
import type { SubscribeOptions } from '../options.js';
import type { Session } from '../session.js';
import type { Subscription } from '../subscription.js';

/** The newest event of a topic. */
export interface Latest<Payload> {
  /** Undefined before the first event. */
  readonly value: Payload | undefined;
  /** Why no events come any more. */
  readonly error: unknown;
}

/** What an adapter listens with; a payload is typed where it is shown. */
export type Listening = Required<Pick<SubscribeOptions<any>, 'onEvent' | 'onEnd'>>;

/** A topic by its name, or a topic of a generated client. */
export type Source<Payload> = (listening: Listening) => Subscription<Payload>;

export interface Store<Value> {
  get(): Value;
  /** Live from its first listener to its last. */
  subscribe(changed: () => void): () => void;
}

/** The source of a topic by its name. */
export function named<Payload>(
  session: Session,
  topic: string,
  options: SubscribeOptions<Payload> = {},
): Source<Payload> {
  return (listening) => session.subscribe<Payload>(topic, { ...options, ...listening });
}

export function latest<Payload>(source: Source<Payload>): Store<Latest<Payload>> {
  const nothing: Latest<Payload> = { value: undefined, error: undefined };
  return store(nothing, (set, get) => {
    const subscription = source({
      onEvent: (value: Payload) => set({ value, error: undefined }),
      onEnd: (error) => set({ value: get().value, error }),
    });
    // Of a subscription that was refused at once, only the promise tells.
    subscription.promise.catch((error: unknown) => set({ value: get().value, error }));
    return () => void subscription.unsubscribe();
  });
}

export function stateOf(session: Session): Store<SessionState> {
  return {
    get: () => session.state,
    subscribe: (changed) => session.onStateChange(changed),
  };
}

function store<Value>(
  initial: Value,
  start: (set: (value: Value) => void, get: () => Value) => () => void,
): Store<Value> {
  const listeners = new Set<() => void>();
  let value = initial;
  let stop: (() => void) | undefined;
  return {
    get: () => value,
    subscribe(changed) {
      // The same function may listen twice.
      const listener = (): void => changed();
      listeners.add(listener);
      if (listeners.size === 1) {
        let live = true;
        const end = start(
          (next) => {
            if (!live) return;
            value = next;
            for (const heard of [...listeners]) heard();
          },
          () => value,
        );
        stop = () => {
          live = false;
          end();
        };
      }
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop?.();
      };
    },
  };
}
