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

export class Trace {
  #entries: TraceEntry[] = [];

  add(kind: TraceEntry['kind'], name: string): TraceEntry {
    const entry: TraceEntry = { kind, name, at: now() };
    this.#entries.push(entry);
    // Moves them once for as many as are kept.
    if (this.#entries.length >= 2 * KEPT) this.#entries = this.entries();
    return entry;
  }

  settle(entry: TraceEntry, outcome: string): void {
    entry.outcome = outcome;
    entry.took = now() - entry.at;
  }

  /** The newest ones, the newest last. */
  entries(): TraceEntry[] {
    return this.#entries.slice(-KEPT);
  }
}
