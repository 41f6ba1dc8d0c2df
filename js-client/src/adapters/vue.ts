// Composables for Vue 3.
import { onScopeDispose, shallowReadonly, shallowRef, type ShallowRef } from 'vue';
import type { SessionState } from '../connector.js';
import type { CallOptions, SubscribeOptions } from '../options.js';
import type { Kwargs, Session } from '../session.js';
import { latest, named, stateOf, type Latest, type Source, type Store } from './store.js';

export type { Latest } from './store.js';

type Shown<Value> = Readonly<ShallowRef<Value>>;

/** The state of a session. */
export function useSessionState(session: Session): Shown<SessionState> {
  return refOf(stateOf(session));
}

/** The newest event of a topic by its name, until the scope is disposed. */
export function useTopic<Payload>(
  session: Session,
  topic: string,
  options?: Pick<SubscribeOptions<Payload>, 'filter'>,
): Shown<Latest<Payload>>;
/** The newest event of a topic of a generated client, as in `useTopic(api(session).clock)`. */
export function useTopic<Payload>(source: Source<Payload>): Shown<Latest<Payload>>;
export function useTopic<Payload>(
  from: Session | Source<Payload>,
  topic = '',
  options: Pick<SubscribeOptions<Payload>, 'filter'> = {},
): Shown<Latest<Payload>> {
  return refOf(latest(typeof from === 'function' ? from : named<Payload>(from, topic, options)));
}

/** What `useCall` returns. */
export interface Calling<Result> {
  /** Calls; the call before is given up, as is the last one when the scope is disposed. */
  readonly call: (
    args?: readonly unknown[],
    kwargs?: Kwargs,
    options?: Omit<CallOptions, 'signal'>,
  ) => Promise<Result | undefined>;
  readonly pending: Shown<boolean>;
  /** Of the last call that was answered. */
  readonly result: Shown<Result | undefined>;
  readonly error: Shown<unknown>;
}

/** Calls a method, and shows what became of the newest call. Errors are in `error`; the promise never rejects. */
export function useCall<Result>(session: Session, method: string): Calling<Result> {
  const pending = shallowRef(false);
  const result = shallowRef<Result>();
  const error = shallowRef<unknown>();
  let newest: AbortController | undefined;
  onScopeDispose(() => newest?.abort());
  const call: Calling<Result>['call'] = async (args, kwargs, options) => {
    newest?.abort();
    const { signal } = (newest = new AbortController());
    pending.value = true;
    error.value = undefined;
    try {
      const given = await session.call<Result>(method, args, kwargs, { ...options, signal });
      if (!signal.aborted) result.value = given;
      return given;
    } catch (failure) {
      if (!signal.aborted) error.value = failure;
      return undefined;
    } finally {
      if (!signal.aborted) pending.value = false;
    }
  };
  return { call, pending, result, error };
}

function refOf<Value>({ get, subscribe }: Store<Value>): Shown<Value> {
  const shown = shallowRef(get());
  onScopeDispose(
    subscribe(() => {
      shown.value = get();
    }),
  );
  return shallowReadonly(shown) as Shown<Value>;
}
