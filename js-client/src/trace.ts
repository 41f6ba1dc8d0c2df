// Remembers the newest calls and events of a session, for `session.debug()`.
import { now } from './timer.js';

/** A call or an event, as `session.debug()` shows it. */
export interface TraceEntry {
  readonly kind: 'call' | 'event' | 'state';
  readonly name: string;
  /** Milliseconds since the page began. */
  readonly at: number;
  /** What became of a call, and how many milliseconds it took. */
  outcome?: string;
  took?: number;
}

const KEPT = 200;

export interface Trace {
  add(kind: TraceEntry['kind'], name: string): TraceEntry;
  /** The newest ones, the newest last. */
  entries(): TraceEntry[];
}

export function createTrace(): Trace {
  let kept: TraceEntry[] = [];
  const entries = (): TraceEntry[] => kept.slice(-KEPT);
  return {
    add(kind, name) {
      const entry: TraceEntry = { kind, name, at: now() };
      // Moves them once for as many as are kept.
      if (kept.push(entry) >= 2 * KEPT) kept = entries();
      return entry;
    },
    entries,
  };
}
