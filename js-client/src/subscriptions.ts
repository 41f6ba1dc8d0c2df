// The subscriptions of a session: tells the server of them, also after a reconnect, and routes events to them.
import type { AskSystem } from './calls.js';
import { CLIENT_ERROR, ConnectionLost, WslinkError } from './errors.js';
import { callErrorOf, subscriptionOf, type Hello, type Incoming } from './messages.js';
import type { Report } from './report.js';
import type { Feed } from './subscription.js';

export interface Subscriptions {
  /** What hello says so that the server can go on where the last connection ended. */
  greeting(): object;
  connected(hello: Hello): void;
  /** Tells of what was missed. */
  opened(): void;
  /** Another hello on the same connection was answered. */
  renewed(hello: Hello): void;
  dropped(): void;
  closed(error?: WslinkError): void;
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** Whether there was a subscription of this topic with this callback, which then is ended. */
  removeByCallback(topic: string, callback: unknown): boolean;
  deliver(topic: string, event: Incoming): void;
}

export function createSubscriptions(ask: AskSystem, report: Report): Subscriptions {
  const byTopic = new Map<string, Set<Feed>>();
  let isConnected = false;
  /** Whether the server sends only what was subscribed to. */
  let negotiated = false;
  let resume: string | undefined;
  /** Events that are not of one subscription alone, over all connections that were resumed. */
  let received = 0;
  /** What is to be told of missed events, once the state was told. */
  let gaps: [Feed, number | undefined][] = [];

  const all = (): Feed[] => [...byTopic.values()].flatMap((feeds) => [...feeds]);

  const forget = (feed: Feed): boolean => {
    const feeds = byTopic.get(feed.topic);
    const found = feeds?.delete(feed) ?? false;
    if (feeds?.size === 0) byTopic.delete(feed.topic);
    return found;
  };

  const end = (feed: Feed, error?: unknown): void => {
    forget(feed);
    feed.end(error);
  };

  const unsubscribe = (number: number): void => ask('wslink.unsubscribe', [number], {});

  const subscribe = (feed: Feed): void => {
    feed.number = undefined;
    if (!negotiated) {
      if (feed.filter) end(feed, new WslinkError(CLIENT_ERROR, `the server does not filter ${feed.topic}`));
      else feed.taken();
      return;
    }
    ask('wslink.subscribe', [feed.topic], feed.filter ?? {}, (error, result) => {
      try {
        if (error !== undefined) throw error;
        const number = subscriptionOf(result);
        if (feed.ended) return unsubscribe(number);
        feed.number = number;
        feed.taken();
      } catch (failure) {
        // A drop ends the request and not the subscription, which is made again.
        if (!(failure instanceof ConnectionLost)) end(feed, failure);
      }
    });
  };

  return {
    greeting: () => (resume === undefined ? {} : { resume, received }),
    connected(hello) {
      const { resumed } = hello;
      isConnected = true;
      negotiated = hello.extensions.has('subscribe');
      resume = hello.resume;
      if (!resumed) received = 0;
      const kept = new Set(resumed?.kept);
      gaps = [];
      const anew = all().filter((feed) => {
        feed.resumed = feed.number !== undefined && kept.delete(feed.number);
        if (!feed.resumed) feed.began = false;
        const missed = feed.resumed ? (resumed?.missed.get(feed.topic) ?? 0) : undefined;
        if (feed.established && missed !== 0) gaps.push([feed, missed]);
        return !feed.resumed;
      });
      // The others have no subscriber any more.
      kept.forEach(unsubscribe);
      anew.forEach(subscribe);
    },
    opened() {
      for (const [feed, missed] of gaps.splice(0)) feed.gap(missed);
    },
    renewed(hello) {
      resume = hello.resume;
    },
    dropped() {
      isConnected = false;
    },
    closed(error) {
      const feeds = all();
      byTopic.clear();
      for (const feed of feeds) feed.end(error);
    },
    add(feed) {
      const feeds = byTopic.get(feed.topic);
      if (feeds) feeds.add(feed);
      else byTopic.set(feed.topic, new Set([feed]));
      if (isConnected) subscribe(feed);
    },
    remove(feed) {
      // Without a connection, the server is told when it is back.
      if (forget(feed) && feed.number !== undefined && isConnected) unsubscribe(feed.number);
    },
    removeByCallback(topic, callback) {
      const found = [...(byTopic.get(topic) ?? [])].find((feed) => feed.callback === callback);
      void found?.unsubscribe();
      return found !== undefined;
    },
    deliver(topic, { sub, end: isEnd, result, error, problem }) {
      // The server counts those that it does not send to one subscription alone.
      if (sub === undefined) received += 1;
      const feeds = byTopic.get(topic);
      if (!feeds) return;
      const failure = problem ?? (error === undefined ? undefined : callErrorOf(error));
      if (failure && isEnd !== true) return report(failure, { topic });
      // A callback may subscribe and unsubscribe.
      for (const feed of [...feeds]) {
        if (sub !== undefined) {
          if (feed.number !== sub) continue;
          // After a resumption the server sends the retained event of the subscription once more.
          if (feed.began && feed.resumed && isEnd !== true) continue;
          feed.began = true;
        }
        if (isEnd !== true) feed.deliver(result);
        else if (sub !== undefined) end(feed, failure);
      }
    },
  };
}
