// Stores for Svelte, which need nothing of it: `$clock` in a component subscribes, and leaves with the component.
import type { SessionState } from '../connector.js';
import type { SubscribeOptions } from '../options.js';
import type { Session } from '../session.js';
import { latest, named, stateOf, type Latest, type Source, type Store } from './store.js';

export type { Latest } from './store.js';

/** The contract of stores in Svelte. */
export interface Readable<Value> {
  subscribe(run: (value: Value) => void): () => void;
}

/** The state of a session. */
export function sessionState(session: Session): Readable<SessionState> {
  return readable(stateOf(session));
}

/** The newest event of a topic by its name. */
export function topicStore<Payload>(
  session: Session,
  topic: string,
  options?: Pick<SubscribeOptions<Payload>, 'filter'>,
): Readable<Latest<Payload>>;
/** The newest event of a topic of a generated client, as in `topicStore(api(session).clock)`. */
export function topicStore<Payload>(source: Source<Payload>): Readable<Latest<Payload>>;
export function topicStore<Payload>(
  from: Session | Source<Payload>,
  topic = '',
  options: Pick<SubscribeOptions<Payload>, 'filter'> = {},
): Readable<Latest<Payload>> {
  return readable(latest(typeof from === 'function' ? from : named<Payload>(from, topic, options)));
}

function readable<Value>({ get, subscribe }: Store<Value>): Readable<Value> {
  return {
    subscribe(run) {
      const leave = subscribe(() => run(get()));
      run(get());
      return leave;
    },
  };
}
