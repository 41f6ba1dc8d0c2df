// How long to wait before the next attempt to connect.

/** How a session tries to connect again. */
export interface Backoff {
  /** The longest wait before the first new attempt, in milliseconds; it doubles each time. Default: 500. */
  initialDelay?: number;
  /** The longest wait, in milliseconds. Default: 30,000. */
  maxDelay?: number;
  /** The attempts in a row after which the session ends. Default: no limit. */
  attempts?: number;
}

/** Between half and all of the doubled delay, so that clients of a server that restarts do not all come at once. */
export function delayBefore(attempt: number, { initialDelay = 500, maxDelay = 30_000 }: Backoff): number {
  const longest = Math.min(maxDelay, initialDelay * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}
