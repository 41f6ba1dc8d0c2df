// A queue in which taking from the front costs the same however much waits.

/** Fewer consumed entries than this are not worth moving the others. */
const SLACK = 1024;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest entry; only if there is one. */
  shift(): T {
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > SLACK && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item as T;
  }

  /** Puts back what `shift` gave last. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** The newest entry; only if there is one. */
  pop(): T {
    return this.#items.pop() as T;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
