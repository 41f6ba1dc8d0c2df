// The subscriptions of a session: tells the server of them, also after a reconnect, and routes events to them.
import type { AskSystem } from './calls.js';
import { CLIENT_ERROR, WslinkError } from './errors.js';
import type { Hello, Incoming } from './messages.js';
import type { Feed } from './subscription.js';

/** Servers take 4 KiB before hello unless they are set up otherwise; some is for the secret. */
const LONGEST_GREETING = 3000;

export class Subscriptions {
  readonly #feeds = new Set<Feed>();
  readonly #ask: AskSystem;
  #connected = false;
  /** Whether the server sends only what was subscribed to. */
  #negotiated = false;
  #greetedBefore = false;
  #resume: string | undefined;
  /** Events of each topic since the server began to count. */
  readonly #received = new Map<string, number>();

  constructor(ask: AskSystem) {
    this.#ask = ask;
  }

  /** What hello says so that the server can go on where the last connection ended. */
  greeting(): object {
    if (this.#resume === undefined) return {};
    const greeting = { resume: this.#resume, received: Object.fromEntries(this.#received) };
    return JSON.stringify(greeting).length > LONGEST_GREETING ? {} : greeting;
  }

  connected(hello: Hello): void {
    const { resumed } = hello;
    this.#connected = true;
    this.#negotiated = hello.extensions?.includes('subscribe') ?? false;
    this.#resume = hello.resume;
    if (!resumed) this.#received.clear();
    const kept = new Set(resumed?.kept);
    for (const feed of [...this.#feeds]) {
      const goesOn = feed.number !== undefined && kept.delete(feed.number);
      if (!goesOn) this.#subscribe(feed);
      const missed = goesOn ? (resumed?.missed[feed.topic] ?? 0) : undefined;
      if (this.#greetedBefore && missed !== 0) feed.gap(missed);
    }
    // What is left is wanted by nobody any more.
    for (const number of kept) this.#ask('wslink.unsubscribe', [number], {});
    this.#greetedBefore = true;
  }

  /** Another hello on the same connection was answered. */
  renewed({ resume }: Hello): void {
    this.#resume = resume;
  }

  dropped(): void {
    this.#connected = false;
  }

  closed(error?: WslinkError): void {
    for (const feed of [...this.#feeds]) feed.end(error);
    this.#feeds.clear();
  }

  add(feed: Feed): void {
    this.#feeds.add(feed);
    if (this.#connected) this.#subscribe(feed);
  }

  remove(feed: Feed): void {
    if (!this.#feeds.delete(feed) || feed.number === undefined) return;
    // Without a connection, the server is told when it is back.
    if (this.#connected) this.#ask('wslink.unsubscribe', [feed.number], {});
  }

  /** Whether there was a subscription of this topic with this callback, which then is ended. */
  removeByCallback(topic: string, callback: unknown): boolean {
    const found = [...this.#feeds].find((feed) => feed.topic === topic && feed.callback === callback);
    void found?.unsubscribe();
    return found !== undefined;
  }

  deliver(topic: string, { sub, end, result, error }: Incoming): void {
    // The server counts those that it does not send to one subscription alone.
    if (sub === undefined) this.#received.set(topic, (this.#received.get(topic) ?? 0) + 1);
    if (error) return;
    for (const feed of [...this.#feeds]) {
      if (feed.topic !== topic || (sub !== undefined && feed.number !== sub)) continue;
      if (end) {
        this.#feeds.delete(feed);
        feed.end();
      } else feed.deliver(result);
    }
  }

  #subscribe(feed: Feed): void {
    feed.number = undefined;
    if (!this.#negotiated) {
      if (feed.filter) this.#refuse(feed, new WslinkError(CLIENT_ERROR, `the server does not filter ${feed.topic}`));
      else feed.taken();
      return;
    }
    this.#ask('wslink.subscribe', [feed.topic], feed.filter ?? {}, (error, result) => {
      // A drop ends the request and not the subscription, which is made again.
      if (error) return this.#connected && this.#refuse(feed, error);
      const { subscription } = result as { subscription: number };
      feed.number = subscription;
      if (this.#feeds.has(feed)) feed.taken();
      else this.#ask('wslink.unsubscribe', [subscription], {});
      return undefined;
    });
  }

  #refuse(feed: Feed, error: unknown): void {
    this.#feeds.delete(feed);
    feed.end(error);
  }
}
