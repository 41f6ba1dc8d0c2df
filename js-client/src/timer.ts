// Timers of any length, and a clock that never jumps.

/** What `setTimeout` can hold; it fires at once for anything longer. */
const LONGEST = 2 ** 31 - 1;

/** Runs `run` after `delay` milliseconds, which may be `Infinity`, unless the function that is returned is called before. */
export function after(delay: number, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (left: number): void => {
    if (left === Infinity) return;
    timer = setTimeout(() => (left > LONGEST ? wait(left - LONGEST) : run()), Math.min(left, LONGEST));
  };
  wait(delay);
  return () => clearTimeout(timer);
}

/** Milliseconds of a clock that is not set back or forward, unlike `Date.now`. */
export const now = (): number => performance.now();

/** Throws for what is no duration in milliseconds. */
export function duration(name: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0)) throw new RangeError(`invalid ${name}: ${value}`);
  return value;
}

/** Runs `run` after whatever awaits a promise that is settled now. Browsers rarely need it, and throttle it in hidden tabs. */
export function soon(run: () => void): void {
  const { setImmediate = setTimeout } = globalThis as { setImmediate?: (run: () => void) => unknown };
  setImmediate(run);
}
