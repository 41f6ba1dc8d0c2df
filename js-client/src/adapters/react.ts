// Hooks for React 18 and later.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { SessionState } from '../connector.js';
import type { CallOptions, SubscribeOptions } from '../options.js';
import type { Kwargs, Session } from '../session.js';
import { latest, named, stateOf, type Latest, type Source, type Store } from './store.js';

export type { Latest } from './store.js';

/** The state of a session. */
export function useSessionState(session: Session): SessionState {
  return useStore(useMemo(() => stateOf(session), [session]));
}

/** The newest event of a topic by its name; subscribes anew when the session, the topic or the filter changes. */
export function useTopic<Payload>(
  session: Session,
  topic: string,
  options?: Pick<SubscribeOptions<Payload>, 'filter'>,
): Latest<Payload>;
/** The newest event of a topic of a generated client, as in `useTopic(useMemo(() => api(session).clock, [session]))`. */
export function useTopic<Payload>(source: Source<Payload>): Latest<Payload>;
export function useTopic<Payload>(
  from: Session | Source<Payload>,
  topic = '',
  options: Pick<SubscribeOptions<Payload>, 'filter'> = {},
): Latest<Payload> {
  // A filter is another one when it says something else.
  const key = JSON.stringify(options.filter, (_name, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const made = useMemo(
    () => latest(typeof from === 'function' ? from : named<Payload>(from, topic, { filter: options.filter })),
    [from, topic, key],
  );
  return useStore(made);
}

/** What `useCall` returns. */
export interface Calling<Result> {
  /** Calls; the call before is given up, as is the last one when the component is gone. */
  readonly call: (
    args?: readonly unknown[],
    kwargs?: Kwargs,
    options?: Omit<CallOptions, 'signal'>,
  ) => Promise<Result | undefined>;
  readonly pending: boolean;
  /** Of the last call that was answered. */
  readonly result: Result | undefined;
  readonly error: unknown;
}

/** Calls a method, and shows what became of the newest call. Errors are in `error`; the promise never rejects. */
export function useCall<Result>(session: Session, method: string): Calling<Result> {
  const [shown, show] = useState<Omit<Calling<Result>, 'call'>>({
    pending: false,
    result: undefined,
    error: undefined,
  });
  const newest = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => newest.current?.abort(), [session, method]);
  const call = useCallback<Calling<Result>['call']>(
    async (args, kwargs, options) => {
      newest.current?.abort();
      const { signal } = (newest.current = new AbortController());
      show(({ result }) => ({ pending: true, result, error: undefined }));
      try {
        const result = await session.call<Result>(method, args, kwargs, { ...options, signal });
        if (!signal.aborted) show({ pending: false, result, error: undefined });
        return result;
      } catch (error) {
        if (!signal.aborted) show(({ result }) => ({ pending: false, result, error }));
        return undefined;
      }
    },
    [session, method],
  );
  return { call, ...shown };
}

function useStore<Value>({ subscribe, get }: Store<Value>): Value {
  return useSyncExternalStore(subscribe, get, get);
}
