// What the page of the benchmark does: the same work with this client and with the stock one.
import { connect } from 'wslink-client';
import { SmartConnect } from 'wslink-v2';

const CLIENTS = {
  async stock(url) {
    const connection = SmartConnect.newInstance({ config: { sessionURL: url } });
    const ready = new Promise((resolve) => connection.onConnectionReady(resolve));
    connection.connect();
    const session = (await ready).getSession();
    return { call: (method, args) => session.call(method, args), close: () => session.close() };
  },

  async ours(url) {
    const session = connect(url, { reconnect: false });
    await session.ready;
    return session;
  },
};

/** The milliseconds of one unit of work; each checks what it got. */
const WORK = {
  async call(session, count) {
    const begin = performance.now();
    for (let n = 0; n < count; n++) check((await session.call('bench.add', [n, 1])) === n + 1);
    return (performance.now() - begin) / count;
  },

  async calls(session, count) {
    const begin = performance.now();
    let next = 0;
    const caller = async () => {
      while (next < count) {
        const n = next++;
        check((await session.call('bench.add', [n, 1])) === n + 1);
      }
    };
    await Promise.all(Array.from({ length: 64 }, caller));
    return (performance.now() - begin) / count;
  },

  async blob(session, size) {
    const begin = performance.now();
    const blob = await session.call('bench.blob', [size]);
    const elapsed = performance.now() - begin;
    check(blob.byteLength === size && blob[size - 1] === (size - 1) % 256);
    return elapsed;
  },
};

function check(truth) {
  if (!truth) throw new Error('a wrong result');
}

/** Once to warm up, and once to measure. */
window.measure = async (client, url, work, amount) => {
  const session = await CLIENTS[client](url);
  await WORK[work](session, amount);
  const elapsed = await WORK[work](session, amount);
  session.close();
  return elapsed;
};
