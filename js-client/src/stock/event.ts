// Events as the stock classes have them: `onX(callback)`, heard after the code that caused them has run.

export interface Listening {
  unsubscribe(): void;
}

export class Event<Args extends unknown[]> {
  readonly #callbacks = new Set<(...args: Args) => void>();

  readonly on = (callback: (...args: Args) => void): Listening => {
    this.#callbacks.add(callback);
    return { unsubscribe: () => this.#callbacks.delete(callback) };
  };

  fire(...args: Args): void {
    setTimeout(() => {
      for (const callback of [...this.#callbacks]) {
        try {
          callback(...args);
        } catch (error) {
          console.error(error);
        }
      }
    }, 0);
  }

  /** Nobody hears it any more. */
  clear(): void {
    this.#callbacks.clear();
  }
}
