// `ProcessLauncher` as the stock client has it: asks a launcher over HTTP for a server process.
import { Event, type Listening } from './event.js';

/** What a launcher answers about a process. */
export interface LaunchedProcess {
  id?: string;
  sessionURL?: string;
  secret?: string;
  error?: unknown;
  [member: string]: unknown;
}

/** A failed answer; `status` is 0 if there was none. */
export interface LauncherFailure {
  readonly status: number;
  readonly response: LaunchedProcess | null;
}

export interface LaunchConfig {
  /** HTTP headers for the launcher only. */
  headers?: Readonly<Record<string, string>>;
  /** Waits in milliseconds before asking again while the launcher answers 503. */
  launcherRetry?: readonly number[];
  [member: string]: unknown;
}

export interface ProcessLauncher {
  start(config: LaunchConfig): void;
  fetchConnection(sessionId: string): void;
  stop(connection: { id: string }): void;
  /** What this page has launched. */
  listConnections(): LaunchedProcess[];
  onProcessReady(callback: (process: LaunchedProcess) => void): Listening;
  onProcessStopped(callback: (process: LaunchedProcess) => void): Listening;
  onFetch(callback: (process: LaunchedProcess) => void): Listening;
  onError(callback: (failure: LauncherFailure) => void): Listening;
  destroy(): void;
}

const launched: LaunchedProcess[] = [];

function newInstance({ endPoint = '' }: { endPoint?: string } = {}): ProcessLauncher {
  const ready = new Event<[LaunchedProcess]>();
  const stopped = new Event<[LaunchedProcess]>();
  const fetched = new Event<[LaunchedProcess]>();
  const error = new Event<[LauncherFailure]>();

  const ask = async (url: string, init: RequestInit, heard: (process: LaunchedProcess) => void): Promise<void> => {
    const answer = await answerOf(url, init);
    if (answer.status === 200 && answer.response && !answer.response.error) heard(answer.response);
    else error.fire(answer);
  };

  const start = async ({ headers = {}, ...config }: LaunchConfig): Promise<void> => {
    const init = { method: 'POST', headers, body: JSON.stringify(config) };
    const waits = [...(config.launcherRetry ?? [])];
    let answer = await answerOf(endPoint, init);
    while (answer.status === 503 && waits.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, waits.shift()));
      answer = await answerOf(endPoint, init);
    }
    if (answer.status !== 200 || !answer.response || answer.response.error) {
      error.fire(answer);
      return;
    }
    launched.push(answer.response);
    ready.fire(answer.response);
  };

  return Object.freeze({
    start: (config: LaunchConfig) => void start(config),
    fetchConnection: (id: string) => void ask(`${endPoint}/${id}`, {}, (process) => fetched.fire(process)),
    stop: ({ id }: { id: string }) =>
      void ask(`${endPoint}/${id}`, { method: 'DELETE' }, (process) => {
        launched.splice(0, launched.length, ...launched.filter((other) => other.id !== id));
        stopped.fire(process);
      }),
    listConnections: () => launched,
    onProcessReady: ready.on,
    onProcessStopped: stopped.on,
    onFetch: fetched.on,
    onError: error.on,
    destroy: () => [ready, stopped, fetched, error].forEach((event) => event.clear()),
  });
}

async function answerOf(url: string, init: RequestInit): Promise<LauncherFailure> {
  let status = 0;
  try {
    const answer = await fetch(url, init);
    status = answer.status;
    return { status, response: (await answer.json()) as LaunchedProcess };
  } catch {
    return { status, response: null };
  }
}

export const ProcessLauncher = { newInstance };
