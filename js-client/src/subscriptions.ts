// The subscriptions of a session: tells the server of them, also after a reconnect, and routes events to them.
import type { AskSystem } from './calls.js';
import { CallError, CLIENT_ERROR, ConnectionLost, WslinkError } from './errors.js';
import { errorOf, subscriptionOf, type Hello, type Incoming } from './messages.js';
import type { Report } from './report.js';
import type { Feed } from './subscription.js';

export class Subscriptions {
  /** By topic. */
  readonly #feeds = new Map<string, Set<Feed>>();
  readonly #ask: AskSystem;
  readonly #report: Report;
  #connected = false;
  /** Whether the server sends only what was subscribed to. */
  #negotiated = false;
  #resume: string | undefined;
  /** Events that are not of one subscription alone, over all connections that were resumed. */
  #received = 0;
  /** What is to be told of missed events, once the state was told. */
  #gaps: [Feed, number | undefined][] = [];

  constructor(ask: AskSystem, report: Report) {
    this.#ask = ask;
    this.#report = report;
  }

  /** What hello says so that the server can go on where the last connection ended. */
  greeting(): object {
    return this.#resume === undefined ? {} : { resume: this.#resume, received: this.#received };
  }

  connected({ extensions, resume, resumed }: Hello): void {
    this.#connected = true;
    this.#negotiated = extensions.has('subscribe');
    this.#resume = resume;
    if (!resumed) this.#received = 0;
    const kept = new Set(resumed?.kept);
    this.#gaps = [];
    for (const feed of this.#all()) {
      const goesOn = feed.number !== undefined && kept.delete(feed.number);
      const missed = goesOn ? (resumed?.missed.get(feed.topic) ?? 0) : undefined;
      if (feed.established && missed !== 0) this.#gaps.push([feed, missed]);
      if (!goesOn) this.#subscribe(feed);
    }
    // What is left is wanted by nobody any more.
    for (const number of kept) this.#ask('wslink.unsubscribe', [number], {});
  }

  /** Tells of what was missed. */
  opened(): void {
    for (const [feed, missed] of this.#gaps.splice(0)) feed.gap(missed);
  }

  /** Another hello on the same connection was answered. */
  renewed({ resume }: Hello): void {
    this.#resume = resume;
  }

  dropped(): void {
    this.#connected = false;
  }

  closed(error?: WslinkError): void {
    const feeds = this.#all();
    this.#feeds.clear();
    for (const feed of feeds) feed.end(error);
  }

  add(feed: Feed): void {
    const feeds = this.#feeds.get(feed.topic);
    if (feeds) feeds.add(feed);
    else this.#feeds.set(feed.topic, new Set([feed]));
    if (this.#connected) this.#subscribe(feed);
  }

  remove(feed: Feed): void {
    if (!this.#forget(feed) || feed.number === undefined) return;
    // Without a connection, the server is told when it is back.
    if (this.#connected) this.#ask('wslink.unsubscribe', [feed.number], {});
  }

  /** Whether there was a subscription of this topic with this callback, which then is ended. */
  removeByCallback(topic: string, callback: unknown): boolean {
    const found = [...(this.#feeds.get(topic) ?? [])].find((feed) => feed.callback === callback);
    void found?.unsubscribe();
    return found !== undefined;
  }

  deliver(topic: string, { sub, end, result, error, problem }: Incoming): void {
    // The server counts those that it does not send to one subscription alone.
    if (sub === undefined) this.#received += 1;
    const feeds = this.#feeds.get(topic);
    if (!feeds) return;
    const failure = problem ?? (error === undefined ? undefined : callErrorOf(error));
    if (failure && end !== true) return this.#report(failure, { topic });
    // A callback may subscribe and unsubscribe.
    for (const feed of [...feeds]) {
      if (sub !== undefined && feed.number !== sub) continue;
      if (end !== true) feed.deliver(result);
      else if (sub !== undefined) this.#end(feed, failure);
    }
  }

  #subscribe(feed: Feed): void {
    feed.number = undefined;
    if (!this.#negotiated) {
      if (feed.filter) this.#end(feed, new WslinkError(CLIENT_ERROR, `the server does not filter ${feed.topic}`));
      else feed.taken();
      return;
    }
    this.#ask('wslink.subscribe', [feed.topic], feed.filter ?? {}, (error, result) => {
      // A drop ends the request and not the subscription, which is made again.
      if (error !== undefined) {
        if (!(error instanceof ConnectionLost)) this.#end(feed, error);
        return;
      }
      let number: number;
      try {
        number = subscriptionOf(result);
      } catch (malformed) {
        return this.#end(feed, malformed);
      }
      if (feed.ended) return this.#ask('wslink.unsubscribe', [number], {});
      feed.number = number;
      feed.taken();
    });
  }

  #end(feed: Feed, error?: unknown): void {
    this.#forget(feed);
    feed.end(error);
  }

  #forget(feed: Feed): boolean {
    const feeds = this.#feeds.get(feed.topic);
    if (!feeds?.delete(feed)) return false;
    if (feeds.size === 0) this.#feeds.delete(feed.topic);
    return true;
  }

  #all(): Feed[] {
    return [...this.#feeds.values()].flatMap((feeds) => [...feeds]);
  }
}

function callErrorOf(error: unknown): CallError {
  const { code, message, data } = errorOf(error);
  return new CallError(code, message, data);
}
