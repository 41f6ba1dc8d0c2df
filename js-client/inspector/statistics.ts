// What `wslink.inspector.statistics` returns, and what two of them say of the time between.

export interface Statistics {
  readonly seconds: number;
  readonly connections: number;
  readonly connections_total: number;
  readonly connections_closed: Readonly<Record<string, number>>;
  readonly handshakes_refused: Readonly<Record<string, number>>;
  readonly hellos_failed: number;
  readonly calls_in_flight: number;
  readonly received_bytes: number;
  readonly sent_bytes: number;
  readonly queued_bytes: number;
  readonly methods: readonly MethodStatistics[];
  readonly topics: readonly TopicStatistics[];
  readonly clients: readonly ClientStatistics[];
}

export interface MethodStatistics {
  readonly method: string;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly in_flight: number;
  readonly seconds: number;
  readonly buckets: readonly number[];
}

export interface TopicStatistics {
  readonly topic: string;
  readonly published: number;
  readonly queued: number;
  readonly dropped: Readonly<Record<string, number>>;
}

export interface ClientStatistics {
  readonly id: string;
  readonly address: string | null;
  readonly protocol: string | null;
  readonly age_seconds: number;
  readonly received_bytes: number;
  readonly sent_bytes: number;
  readonly queued_bytes: number;
  readonly waiting_event_bytes: number;
  readonly dropped_events: number;
  readonly calls_in_flight: number;
  readonly ping_seconds: number | null;
}

/** The page's own calls, which are nobody's business. */
const OWN = 'wslink.inspector.';

export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((a, b) => a + b, 0);

export const calls = (method: MethodStatistics): number => sum(method.outcomes);

export const failures = (method: MethodStatistics): number => calls(method) - (method.outcomes['ok'] ?? 0);

export const others = (now: Statistics): readonly MethodStatistics[] =>
  now.methods.filter(({ method }) => !method.startsWith(OWN));

export const dropped = (now: Statistics): number => now.topics.reduce((all, topic) => all + sum(topic.dropped), 0);

/** The buckets of the calls of all methods. */
export function buckets(methods: readonly MethodStatistics[]): number[] {
  const all: number[] = [];
  for (const method of methods) method.buckets.forEach((count, at) => (all[at] = (all[at] ?? 0) + count));
  return all;
}

/** The duration that the part `share` of the calls stayed below, in seconds; bucket `n` is below 2ⁿ µs. */
export function quantile(counts: readonly number[], share: number): number | undefined {
  const all = counts.reduce((a, b) => a + b, 0);
  if (all === 0) return undefined;
  let before = 0;
  const at = counts.findIndex((count) => (before += count) >= all * share);
  return 2 ** at / 1e6;
}
