// A queue in which taking from the front costs the same however much waits.

/** Fewer consumed entries than this are not worth moving the others. */
const SLACK = 1024;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The oldest entry. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the oldest entry; only if there is one. */
  shift(): T {
    const item = this.first;
    this.#items[this.#head++] = undefined;
    if (this.#head > SLACK && this.#head * 2 > this.#items.length) this.#drop(this.#head);
    return item as T;
  }

  /** Takes the newest entry; only if there is one. */
  pop(): T {
    return this.#items.pop() as T;
  }

  /** Keeps the entries of which `wanted` is true. */
  keep(wanted: (item: T) => boolean): void {
    this.#drop(this.#head);
    this.#items = (this.#items as T[]).filter(wanted);
  }

  clear(): void {
    this.#drop(this.#items.length);
  }

  #drop(count: number): void {
    this.#items.splice(0, count);
    this.#head = 0;
  }
}
