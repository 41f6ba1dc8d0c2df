// What calls do, with every server.
import { AuthenticationError, CallError, CallTimeout, ConnectionLost } from 'wslink-client';
import { crc32, equal, pattern, rejects, take } from './check.js';

export const calls = {
  async 'arguments by position and by name'({ session }) {
    equal(await session.call('kit.echo', [1, 'two', [3]], { four: { five: 5.5 } }), {
      args: [1, 'two', [3]],
      kwargs: { four: { five: 5.5 } },
    });
    equal(await session.call('kit.echo'), { args: [], kwargs: {} });
  },

  async 'text of all kinds and numbers that JSON does not have'({ session }) {
    const values = ['Zürich 東京 🦀', 'a "NaN" \\ Infinity', '', NaN, Infinity, -Infinity, 1e-300, 2 ** 40, null, true];
    equal((await session.call('kit.echo', values)).args, values);
  },

  async 'members that are undefined are left out'({ session }) {
    equal((await session.call('kit.echo', [{ a: undefined, b: 1 }])).args, [{ b: 1 }]);
  },

  async 'binary results'({ session }) {
    equal(await session.call('kit.blob', [5, 7]), pattern(5, 7));
    equal(await session.call('kit.blob', [5_000_000]), pattern(5_000_000));
  },

  async 'binary arguments of every kind'({ session }) {
    const bytes = pattern(1_000_000, 3);
    const expected = { length: bytes.length, crc32: crc32(bytes) };
    for (const data of [
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer),
      new Float32Array(bytes.buffer),
      new Blob([bytes]),
    ]) {
      equal(await session.call('kit.blob.info', [data]), expected, data.constructor.name);
      equal(await session.call('kit.blob.info', [], { data }), expected, `${data.constructor.name} by name`);
    }
    equal(await session.call('kit.blob.info', [bytes.subarray(10, 20)]), {
      length: 10,
      crc32: crc32(bytes.subarray(10, 20)),
    });
    equal(await session.call('kit.blob.info', [session.addAttachment(bytes)]), expected, 'addAttachment');
  },

  async 'calls with a blob keep their order'({ session }) {
    const events = take(session.subscribe('kit.order'), 3);
    await session.ready;
    const sent = [new Blob(['later']), 1, 2].map((data, n) =>
      session.call('kit.publish', ['kit.order', { n }, null], {}).then(() => data),
    );
    await Promise.all([session.call('kit.blob.info', [new Blob(['x'])]), ...sent]);
    equal(await events, [{ n: 0 }, { n: 1 }, { n: 2 }]);
  },

  async 'a blob that cannot be read holds up nothing'({ session }) {
    class Unreadable extends Blob {
      arrayBuffer() {
        return Promise.reject(new RangeError('unreadable'));
      }
    }
    class Endless extends Blob {
      arrayBuffer() {
        return new Promise(() => {});
      }
    }
    await session.ready;
    const abort = new AbortController();
    const failed = rejects(session.call('kit.echo', [new Unreadable()]), RangeError, { message: 'unreadable' });
    const aborted = rejects(session.call('kit.echo', [new Endless()], {}, { signal: abort.signal }), DOMException);
    const next = session.call('kit.echo', [1]);
    abort.abort();
    await Promise.all([failed, aborted]);
    equal((await next).args, [1]);
  },

  async 'calls at once, each with its own reply'({ session }) {
    const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => session.call('kit.echo', [n])));
    equal(
      replies.map(({ args }) => args[0]),
      Array.from({ length: 100 }, (_, n) => n),
    );
  },

  async 'errors of the server'({ session }) {
    await rejects(session.call('kit.nothing'), CallError, { code: -32601, data: 'kit.nothing' });
    const error = await rejects(session.call('kit.raise', ['told']), CallError, {
      code: -32001,
      message: 'Exception raised',
    });
    equal(error.data.method, 'kit.raise');
    equal(error.data.exception.includes('told'), true);
  },

  async 'what cannot be packed fails alone'({ session }) {
    await rejects(session.call('kit.echo', [() => {}]), Error);
    equal((await session.call('kit.echo', [2])).args, [2]);
  },

  async 'methods of a session taken apart'({ session }) {
    const { call, subscribe, close } = session;
    equal((await call('kit.echo', [1])).args, [1]);
    await subscribe('kit.apart').unsubscribe();
    await close();
  },

  async 'a timeout'({ session }) {
    // What was not sent in time was certainly not executed.
    await session.ready;
    await rejects(session.call('kit.hang', [], {}, { timeout: 30 }), CallTimeout, {
      code: -32005,
      maybeExecuted: true,
    });
    equal((await session.call('kit.echo', [1])).args, [1]);
  },

  async 'an aborted signal'({ session }) {
    await rejects(session.call('kit.hang', [], {}, { signal: AbortSignal.abort() }), DOMException, {
      name: 'AbortError',
    });
    const abort = new AbortController();
    const call = session.call('kit.hang', [], {}, { signal: abort.signal });
    abort.abort(new RangeError('enough'));
    await rejects(call, RangeError, { message: 'enough' });
  },

  async 'the end of a session ends its calls'({ session }) {
    await session.ready;
    const call = session.call('kit.hang');
    await session.close();
    await rejects(call, ConnectionLost, { maybeExecuted: true });
    await rejects(session.call('kit.echo'), ConnectionLost, { maybeExecuted: false });
    equal(session.state, { status: 'closed' });
  },

  async 'a session that ends before it is connected'({ session }) {
    const call = session.call('kit.echo');
    await session.close();
    await rejects(call, ConnectionLost, { maybeExecuted: false });
    await rejects(session.ready, ConnectionLost);
  },

  async 'a wrong secret ends the session'({ open }) {
    const session = open({ secret: async () => 'wrong' });
    await rejects(session.ready, AuthenticationError, { code: -32000 });
    equal(session.state.status, 'closed');
  },

  async 'a server that is not there is given up after as many attempts as were said'({ open }) {
    const session = open({ at: 'ws://127.0.0.1:9/ws', reconnect: { initialDelay: 1, attempts: 2 } });
    const attempts = [];
    session.onStateChange((state) => state.status === 'waiting' && attempts.push(state.attempt));
    await rejects(session.ready, ConnectionLost);
    equal(attempts, [1, 2]);
  },

  async 'a silent connection is asked, and every server answers'({ open }) {
    let heard = 0;
    const webSocket = (url) => {
      const socket = new WebSocket(url);
      socket.addEventListener('message', () => (heard += 1));
      return socket;
    };
    const session = open({ ping: { interval: 20, timeout: 10_000 }, webSocket });
    const states = [];
    session.onStateChange(({ status }) => states.push(status));
    await session.ready;
    // Nothing is called or published meanwhile: the next message is the answer to the client's question.
    const before = heard;
    while (heard === before) await new Promise((resolve) => setTimeout(resolve, 20));
    equal((await session.call('kit.echo', [1])).args, [1]);
    equal(states, ['connected']);
  },
};
