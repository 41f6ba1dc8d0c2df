// Says hello again before what the client was admitted with expires.
import type { AskSystem } from './calls.js';
import { helloOf, type Hello } from './messages.js';
import { after, now, type Timer } from './timer.js';

/** Of a failed attempt, another is made when half of what is left has passed, unless that is less. */
const LEAST = 100;

export class Refresh {
  readonly #secret: () => Promise<string>;
  readonly #greeting: (secret: string) => object;
  readonly #ask: AskSystem;
  readonly #renewed: (hello: Hello) => void;
  #timer: Timer | undefined;
  #expiry = 0;

  constructor(
    secret: () => Promise<string>,
    greeting: (secret: string) => object,
    ask: AskSystem,
    renewed: (hello: Hello) => void,
  ) {
    this.#secret = secret;
    this.#greeting = greeting;
    this.#ask = ask;
    this.#renewed = renewed;
  }

  /** The server has answered hello. */
  admitted({ expiresInMs }: Hello): void {
    this.stop();
    if (expiresInMs === undefined) return;
    this.#expiry = now() + expiresInMs;
    // Whatever the server says, it is not asked without a pause.
    this.#wait(Math.max((expiresInMs * 3) / 4, LEAST));
  }

  /** There is no connection any more. */
  stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #wait(delay: number): void {
    const timer = after(delay, () => void this.#refresh(timer));
    this.#timer = timer;
  }

  async #refresh(timer: Timer): Promise<void> {
    try {
      const secret = await this.#secret();
      // A connection that was lost meanwhile began with a secret of its own.
      if (this.#timer !== timer) return;
      // When the server refuses it, it ends the connection, and the next one begins with another secret.
      this.#ask('wslink.hello', [this.#greeting(secret)], {}, (error, result) => {
        if (error !== undefined || this.#timer !== timer) return;
        const hello = helloOf(result);
        this.#renewed(hello);
        this.admitted(hello);
      });
    } catch {
      const left = this.#expiry - now();
      if (this.#timer === timer && left > LEAST) this.#wait(left / 2);
    }
  }
}
