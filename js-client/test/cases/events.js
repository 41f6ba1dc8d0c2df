// What subscriptions do, with every server.
import { BufferOverflow, WslinkError } from 'wslink-client';
import { equal, pattern, rejects, take } from './check.js';

const publish = (session, topic, count) => session.call('kit.publish', [topic, 'x', count]);
const numbers = (events) => events.map(({ n }) => n);

// Some servers answer a call before the events that it published; who subscribes last hears an event last.
async function publishAndWait(session, topic, count) {
  const subscription = session.subscribe(topic);
  await subscription.promise;
  const heard = take(subscription, count);
  await publish(session, topic, count);
  await heard;
}

export const events = {
  async 'a loop over events'({ session }) {
    const subscription = session.subscribe('kit.loop');
    await subscription.promise;
    const taken = take(subscription, 3);
    await publish(session, 'kit.loop', 3);
    equal(numbers(await taken), [0, 1, 2]);
    // Leaving the loop ended the subscription.
    equal(await take(subscription, 1), []);
  },

  async 'a callback'({ session }) {
    const heard = [];
    const subscription = session.subscribe('kit.callback', { onEvent: (event) => heard.push(event) });
    await subscription.promise;
    await publishAndWait(session, 'kit.callback', 3);
    equal(numbers(heard), [0, 1, 2]);
    await subscription.unsubscribe();
    await publishAndWait(session, 'kit.callback', 3);
    equal(heard.length, 3);
  },

  async 'the stock form'({ session }) {
    const heard = [];
    const callback = ([event]) => heard.push(event);
    const { promise, unsubscribe, topic } = session.subscribe('kit.stock', callback);
    const info = await promise;
    equal(
      [topic, info.topic, info.callback === callback, typeof unsubscribe],
      ['kit.stock', 'kit.stock', true, 'function'],
    );
    await publishAndWait(session, 'kit.stock', 1);
    equal(numbers(heard), [0]);
    await session.unsubscribe(info);
    const { unsubscribe: again } = session.subscribe('kit.stock', callback);
    await again();
    await rejects(session.unsubscribe(info), WslinkError, { code: -32099 });
  },

  async 'several subscriptions of one topic'({ session }) {
    const [first, second] = [session.subscribe('kit.twice'), session.subscribe('kit.twice')];
    await Promise.all([first.promise, second.promise]);
    await publish(session, 'kit.twice', 2);
    equal(numbers(await take(first, 2)), [0, 1]);
    await publish(session, 'kit.twice', 1);
    equal(numbers(await take(second, 3)), [0, 1, 0]);
  },

  async 'binary events in their order, whatever their size'({ session }) {
    const subscription = session.subscribe('kit.binary');
    await subscription.promise;
    const sizes = [3_000_000, 10, 200_000, 0];
    await Promise.all(sizes.map((size) => session.call('kit.publish.blob', ['kit.binary', size])));
    const received = await take(subscription, sizes.length);
    equal(
      received.map(({ blob }) => blob),
      sizes.map((size) => pattern(size)),
    );
  },

  async 'only the newest event waits'({ session }) {
    const subscription = session.subscribe('kit.latest', { buffer: 'latest' });
    await subscription.promise;
    await publishAndWait(session, 'kit.latest', 5);
    equal(subscription.dropped, 4);
    equal(numbers(await take(subscription, 1)), [4]);
  },

  async 'some events wait'({ session }) {
    const oldest = session.subscribe('kit.some', { buffer: { keep: 2, overflow: 'dropOldest' } });
    const newest = session.subscribe('kit.some', { buffer: { keep: 2, overflow: 'dropNewest' } });
    await Promise.all([oldest.promise, newest.promise]);
    await publishAndWait(session, 'kit.some', 5);
    equal(numbers(await take(oldest, 2)), [3, 4]);
    equal(numbers(await take(newest, 2)), [0, 1]);
  },

  async 'a consumer that falls too far behind'({ session }) {
    const subscription = session.subscribe('kit.behind', { buffer: { keep: 2, overflow: 'fail' } });
    await subscription.promise;
    await publishAndWait(session, 'kit.behind', 5);
    await rejects(take(subscription, 5), BufferOverflow);
  },

  async 'a signal ends a subscription'({ session }) {
    const abort = new AbortController();
    const subscription = session.subscribe('kit.signal', { signal: abort.signal });
    await subscription.promise;
    const taken = take(subscription, 1);
    abort.abort();
    equal(await taken, []);
  },

  async 'the end of a session ends its subscriptions'({ session }) {
    const subscription = session.subscribe('kit.end');
    await subscription.promise;
    const taken = take(subscription, 1);
    await session.close();
    equal(await taken, []);
  },
};
