// How long the queues of a session take at sizes that no page should reach: `node bench/queues.js`.
import { WebSocketServer } from 'ws';
import { connect } from 'wslink-client';
import { createFeed } from '../dist/subscription.js';

const took = async (what, work) => {
  const start = performance.now();
  await work();
  console.log(`${what}: ${(performance.now() - start).toFixed(0)} ms`);
};

const feed = createFeed('a', { buffer: 'all' }, undefined, () => {}, console.error);
await took('200,000 events buffered', () => {
  for (let n = 0; n < 200_000; n += 1) feed.deliver(n);
});
await took('200,000 events drained by a loop', async () => {
  let left = 200_000;
  for await (const _ of feed) if (--left === 0) break;
});

const silent = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await new Promise((resolve) => silent.once('listening', resolve));
const session = connect(`ws://127.0.0.1:${silent.address().port}/`, { timeout: 60_000 });
const calls = [];
await took('40,000 calls made to wait', () => {
  for (let n = 0; n < 40_000; n += 1) calls.push(session.call('work', [n]).catch(() => {}));
});
await took('40,000 waiting calls ended', async () => {
  await session.close();
  await Promise.all(calls);
});
silent.close();
for (const socket of silent.clients) socket.terminate();
