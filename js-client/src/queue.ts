// A queue in which taking from either end, or anywhere between, costs the same however much waits.

export interface Queue<T> {
  readonly length: number;
  /** The oldest entry. */
  readonly first: T | undefined;
  /** Returns what `remove` takes. */
  push(item: T): number;
  /** Takes the oldest entry; only if there is one. */
  shift(): T;
  /** Whether it was there. */
  remove(place: number): boolean;
  /** Takes the newest entry; only if none was removed. */
  pop(): T;
  clear(): void;
}

export function createQueue<T>(): Queue<T> {
  const items = new Map<number, T>();
  let head = 0;
  let tail = 0;
  const take = (place: number): T => {
    const item = items.get(place) as T;
    items.delete(place);
    return item;
  };
  const oldest = (): number => {
    while (items.size > 0 && !items.has(head)) head += 1;
    return head;
  };
  return {
    get length() {
      return items.size;
    },
    get first() {
      return items.get(oldest());
    },
    push(item) {
      items.set(tail, item);
      return tail++;
    },
    shift: () => take(oldest()),
    remove: (place) => items.delete(place),
    pop: () => take(--tail),
    clear: () => items.clear(),
  };
}
