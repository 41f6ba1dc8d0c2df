// Measures the stream of pictures: how many, how large, and how long the mouse waits for them.

/** What was seen within the last second, and the newest delay from an event to the picture that shows it. */
export interface Reading {
  framesPerSecond: number;
  bytesPerSecond: number;
  delay: number | undefined;
}

/** What a picture tells about itself. */
export interface Told {
  bytes: number;
  /** How many events the server had heard; servers other than the example's do not tell. */
  events: number | undefined;
}

const WINDOW = 1000;

export class Meter {
  /** When each event was sent that no picture has shown, beginning with number `#shown + 1`. */
  #waiting: number[] = [];
  #shown = 0;
  #told: Told | undefined;
  #frames: { at: number; bytes: number }[] = [];
  #delays: number[] = [];
  /** Since the page was opened. */
  readonly total = { frames: 0, bytes: 0 };
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** An event went to the server. */
  moved(): void {
    this.#waiting.push(this.#now());
  }

  /** A picture came, which the page has still to decode. */
  came(told: Told): void {
    this.#told = told;
  }

  /** The page shows the newest picture. */
  shown(): void {
    const told = this.#told;
    this.#told = undefined;
    if (!told) return;
    const now = this.#now();
    this.#frames.push({ at: now, bytes: told.bytes });
    this.total.frames += 1;
    this.total.bytes += told.bytes;
    const seen = Math.min((told.events ?? Infinity) - this.#shown, this.#waiting.length);
    if (!(seen > 0)) return;
    const sent = this.#waiting.splice(0, seen).at(-1)!;
    this.#shown += seen;
    this.#delays.push(now - sent);
  }

  /** Another connection counts from the beginning. */
  restart(): void {
    this.#waiting = [];
    this.#shown = 0;
    this.#told = undefined;
  }

  /** All delays since the last call, in milliseconds. */
  takeDelays(): number[] {
    return this.#delays.splice(0);
  }

  read(): Reading {
    const now = this.#now();
    this.#frames = this.#frames.filter(({ at }) => now - at <= WINDOW);
    const bytes = this.#frames.reduce((sum, frame) => sum + frame.bytes, 0);
    return {
      framesPerSecond: this.#frames.length / (WINDOW / 1000),
      bytesPerSecond: bytes / (WINDOW / 1000),
      delay: this.#delays.at(-1),
    };
  }
}
