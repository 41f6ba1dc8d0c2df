// What users write against the types of every entry point; compiled with the oldest and the newest compiler.
import {
  AuthenticationError,
  CallError,
  connect,
  UnsupportedValue,
  v1,
  v2,
  WslinkError,
  type ConnectOptions,
  type Session,
  type SessionState,
  type Subscription,
} from 'wslink-client';
import { SmartConnect, WebsocketConnection } from 'wslink-client/stock';
import { WebsocketConnection as FirstVersion } from 'wslink-client/stock-v1';
import { topicStore } from 'wslink-client/svelte';
import { filteredTopic, method, topic, withMembers } from 'wslink-client/typed';

declare const maybe: string | undefined;

// Options that are not set may be said to be undefined.
const options: ConnectOptions = {
  secret: maybe,
  wire: maybe === 'v1' ? v1 : v2,
  reconnect: { initialDelay: undefined, attempts: 3 },
  ping: { interval: 1000, timeout: undefined },
  timeout: undefined,
  onError: (error, { topic, method }) => [error, topic, method],
};

export async function use(): Promise<void> {
  const session: Session = connect(new URL('ws://localhost'), {
    ...options,
    secret: async ({ refused, signal }) => String([refused?.code, signal.aborted]),
  });
  const off: () => void = session.onStateChange((state: SessionState) => {
    if (state.status === 'waiting') [state.delay, state.error.code].toString();
    if (state.status === 'connected') state.clientId.toString();
  });
  off();
  const sum = await session.call<number>(
    'add',
    [1n, new Map(), new Blob()],
    { signal: undefined },
    { timeout: undefined },
  );
  sum.toFixed();
  const subscription: Subscription<{ n: number }> = session.subscribe('topic', {
    filter: { a: 1 },
    buffer: { keep: 5, overflow: 'dropOldest' },
    onEnd: (error) => error instanceof WslinkError,
    onGap: (missed) => missed?.toFixed(),
    signal: undefined,
  });
  for await (const { n } of subscription) n.toFixed();
  const stream: ReadableStream<{ n: number }> = subscription.readable();
  void stream.cancel();
  session.reconnectNow();
  session.debug().map(({ kind, name, took }) => [kind, name, took]);
  await session[Symbol.asyncDispose]();
  await subscription[Symbol.asyncDispose]();
  // @ts-expect-error there is no such option
  connect('ws', { retries: 3 });
  // @ts-expect-error a session is closed, not ended
  session.end();
}

export function errors(error: unknown): string {
  if (error instanceof UnsupportedValue) return error.path;
  if (error instanceof AuthenticationError) return error.message;
  return error instanceof CallError ? String(error.data) : '';
}

export function generated(session: Session) {
  const tiles = filteredTopic<number, { side: string }>(session, 'tiles');
  tiles({ side: 'left' }, { buffer: 'latest' });
  // @ts-expect-error the side is missing
  tiles();
  const state = topic<string>(session, 'state');
  state();
  state({ onEvent: (text) => text.trim() });
  topicStore(state).subscribe(({ value, error }) => [value?.trim(), error]);
  topicStore((options) => tiles({ side: 'left' }, options)).subscribe(({ value }) => value?.toFixed());
  topicStore<number>(session, 'tiles', { filter: { side: 'left' } }).subscribe(({ value }) => value?.toFixed());
  return withMembers(method<{ a?: number }, [a?: number], string>(session, 'a'), { b: state });
}

export const stock = [SmartConnect.newInstance({}), WebsocketConnection.newInstance({}), FirstVersion.newInstance({})];
