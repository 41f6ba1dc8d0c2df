// Notices a connection that is dead without having ended: asks a silent server, and gives up one that says nothing.
import { after, now } from './timer.js';

/** How a silent connection is found out. */
export interface Ping {
  /** After so much silence of the server it is asked, in milliseconds. Default: 20,000. */
  interval?: number | undefined;
  /** How long its answer may take, in milliseconds. Default: 20,000. */
  timeout?: number | undefined;
}

/** A timer that comes so late was held back, together with whatever the server has sent. */
const LATE = 1000;

export interface Liveness {
  start(): void;
  stop(): void;
  /** Something came from the server. */
  heard(): void;
  /** Asks at once: the machine may have slept, or changed its network. */
  check(): void;
}

/** `isFree`: whether silence proves something, as a server may be busy with a call and answer nothing else meanwhile. */
export function createLiveness(
  { interval = 20_000, timeout = 20_000 }: Ping,
  probe: () => void,
  isFree: () => boolean,
  dead: () => void,
): Liveness {
  let heardAt = 0;
  /** Only while it runs. */
  let cancel: (() => void) | undefined;

  const stop = (): void => {
    cancel?.();
    cancel = undefined;
  };
  const wait = (delay: number, then: () => void): void => {
    stop();
    cancel = after(delay, then);
  };
  const heard = (): void => {
    heardAt = now();
  };
  const listen = (delay: number): void =>
    wait(delay, () => {
      const left = heardAt + interval - now();
      if (left > 0) listen(left);
      else ask();
    });
  const ask = (): void => {
    const asked = now();
    wait(timeout, () => {
      if (heardAt > asked) listen(interval);
      else if (now() - asked > timeout + LATE || !isFree()) ask();
      else dead();
    });
    probe();
  };

  return {
    start() {
      heard();
      listen(interval);
    },
    stop,
    heard,
    check: () => cancel && ask(),
  };
}
