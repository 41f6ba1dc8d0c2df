// Notices a connection that is dead without having ended: asks a silent server, and gives up one that says nothing.
import { after, now, type Timer } from './timer.js';

/** How a silent connection is found out. */
export interface Ping {
  /** After so much silence of the server it is asked, in milliseconds. Default: 20,000. */
  interval?: number | undefined;
  /** How long its answer may take, in milliseconds. Default: 20,000. */
  timeout?: number | undefined;
}

/** A timer that comes so late was held back, together with whatever the server has sent. */
const LATE = 1000;

export class Liveness {
  readonly #interval: number;
  readonly #timeout: number;
  readonly #probe: () => void;
  /** Whether silence proves something: a server may be busy with a call and answer nothing else meanwhile. */
  readonly #isFree: () => boolean;
  readonly #dead: () => void;
  #heardAt = 0;
  #timer: Timer | undefined;
  #running = false;

  constructor(
    { interval = 20_000, timeout = 20_000 }: Ping,
    probe: () => void,
    isFree: () => boolean,
    dead: () => void,
  ) {
    this.#interval = interval;
    this.#timeout = timeout;
    this.#probe = probe;
    this.#isFree = isFree;
    this.#dead = dead;
  }

  start(): void {
    this.#running = true;
    this.heard();
    this.#listen(this.#interval);
  }

  stop(): void {
    this.#running = false;
    this.#timer?.clear();
  }

  /** Something came from the server. */
  heard(): void {
    this.#heardAt = now();
  }

  /** Asks at once: the machine may have slept, or changed its network. */
  check(): void {
    if (this.#running) this.#ask();
  }

  #listen(delay: number): void {
    this.#wait(delay, () => {
      const left = this.#heardAt + this.#interval - now();
      if (left > 0) this.#listen(left);
      else this.#ask();
    });
  }

  #ask(): void {
    const asked = now();
    this.#probe();
    this.#wait(this.#timeout, () => {
      if (this.#heardAt > asked) this.#listen(this.#interval);
      else if (now() - asked > this.#timeout + LATE || !this.#isFree()) this.#ask();
      else this.#dead();
    });
  }

  #wait(delay: number, then: () => void): void {
    this.#timer?.clear();
    this.#timer = after(delay, () => this.#running && then());
  }
}
