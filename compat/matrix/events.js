// Events and who gets them.
import { pattern } from './bytes.js';
import { equal } from './check.js';

export const events = {
  'delivers to several subscribers of several clients': async ({ connect, topic }) => {
    const [first, second] = [await connect(), await connect()];
    const received = [first, first, second].map((client) => client.collect(topic, 1));
    await first.call('kit.publish', [topic, { text: 'to all' }]);
    equal(await Promise.all(received), Array(3).fill([{ text: 'to all' }]));
  },

  'delivers every event of a burst': async ({ connect, topic }) => {
    const client = await connect();
    const received = client.collect(topic, 50);
    await client.call('kit.publish', [topic, 'burst', 50]);
    // The v2 client unpacks concurrently; the order on the wire is checked frame by frame elsewhere.
    const sorted = (await received).sort((a, b) => a.n - b.n);
    equal(sorted, Array.from({ length: 50 }, (_, n) => ({ n, payload: 'burst' })));
  },

  'delivers binary payloads': async ({ connect, topic }) => {
    const client = await connect();
    for (const size of [0, 8, 300_000]) {
      const received = client.collect(topic, 1);
      await client.call('kit.publish.blob', [topic, size, 5]);
      equal(await received, [{ blob: pattern(size, 5) }]);
    }
  },

  'can leave out the caller': async ({ connect, topic }) => {
    const [caller, other] = [await connect(), await connect()];
    const [atCaller, atOther] = [caller.collect(topic, 1), other.collect(topic, 2)];
    await caller.call('kit.publish.others', [topic, 'for the others']);
    await caller.call('kit.publish', [topic, 'for all']);
    equal(await atCaller, ['for all']);
    equal((await atOther).sort(), ['for all', 'for the others']);
  },

  'stops after unsubscribing': async ({ connect, topic }) => {
    const client = await connect();
    const received = [];
    const subscription = client.session.subscribe(topic, ([payload]) => received.push(payload));
    await subscription.promise;
    await subscription.unsubscribe();
    const marker = client.collect(`${topic}.marker`, 1);
    await client.call('kit.publish', [topic, 'unheard']);
    await client.call('kit.publish', [`${topic}.marker`, 'end']);
    await marker;
    equal(received, []);
  },

  'crosses the protocols': async ({ connect, topic }) => {
    const [old, recent] = [await connect({ protocol: 'v1' }), await connect({ protocol: 'v2' })];
    for (const publisher of [old, recent]) {
      const received = [old, recent].map((client) => client.collect(topic, 1));
      await publisher.call('kit.publish.blob', [topic, 1000, 7]);
      equal(await Promise.all(received), Array(2).fill([{ blob: pattern(1000, 7) }]));
    }
  },

  'passes an uploaded binary on to both protocols': async ({ connect, topic }) => {
    const [publisher, old, recent] = [await connect(), await connect({ protocol: 'v1' }), await connect({ protocol: 'v2' })];
    const bytes = pattern(5000, 2);
    const received = [old, recent].map((client) => client.collect(topic, 1));
    await publisher.call('kit.publish', [topic, { nested: [publisher.attach(bytes)] }]);
    equal(await Promise.all(received), Array(2).fill([{ nested: [bytes] }]));
  },
};
