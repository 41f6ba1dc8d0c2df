// How long a session waits before the next attempt to connect.

/** How a session connects again. */
export interface Backoff {
  /** The longest wait before the first new attempt, in milliseconds; it doubles each time. Default: 200. */
  initialDelay?: number | undefined;
  /** The longest wait, in milliseconds. Default: 10,000. */
  maxDelay?: number | undefined;
  /** Failed attempts in a row after which the session ends. Default: no limit. */
  attempts?: number | undefined;
  /** How long a connection has to last so that counting begins anew, in milliseconds. Default: 5,000. */
  resetAfter?: number | undefined;
}

export const RESET_AFTER = 5000;

/** Between half and all of the doubled delay: clients of a server that restarts do not all come at once. */
export function delayBefore(attempt: number, { initialDelay = 200, maxDelay = 10_000 }: Backoff): number {
  const longest = Math.min(maxDelay, initialDelay * 2 ** (attempt - 1));
  // `Infinity` would be an attempt that never comes.
  return Math.min(longest, Number.MAX_SAFE_INTEGER) * (0.5 + Math.random() / 2);
}
