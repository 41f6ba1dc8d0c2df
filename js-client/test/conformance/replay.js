// Plays what was recorded between the sessions of the Rust core: this client has to send and see the same.
// The recordings are `wslink-core/tests/conformance/*.json`; that folder says how they are made.
import { connect, v1, v2 } from 'wslink-client';

const WIRES = { v1, v2 };
/** Turns of the event loop after which nothing comes any more. */
const TURNS = 50;

const turn = () => new Promise((resolve) => setTimeout(resolve));
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
const hexOf = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The end of a connection at which the recorded server stands. */
class RecordedSocket {
  readyState = 1;
  sent = [];
  #codec;

  constructor(wire) {
    this.#codec = WIRES[wire].codec(2 ** 30);
  }

  send(frame) {
    this.sent.push(this.#codec.decode(typeof frame === 'string' ? frame : frame.buffer));
  }

  close() {
    this.readyState = 3;
  }

  receive({ text, hex }) {
    this.onmessage({ data: text ?? bytesOf(hex).buffer });
  }

  lose() {
    this.readyState = 3;
    this.onclose({ code: 1006, reason: '', wasClean: false });
  }
}

/** Throws where this client does something else than is recorded. */
export async function replay(wire, steps) {
  const seen = [];
  const sockets = [];
  const calls = new Map();
  const subscriptions = new Map();
  const see = (sees, of, more) => seen.push({ sees, of, ...more });
  let session;
  let secret;
  let socket;

  const begin = () => {
    const begun = connect('ws://recorded/', {
      wire: WIRES[wire],
      // Whoever has no other secret gives the same again.
      secret: () => secret,
      reconnect: { initialDelay: 0 },
      ping: false,
      webSocket() {
        sockets.push(new RecordedSocket(wire));
        return sockets.at(-1);
      },
      onError: (error) => see('reported', undefined, { error: String(error) }),
    });
    begun.onStateChange(({ status, error }) => {
      if (status === 'connected') see('connected');
      if (status === 'closed' && error) see('refused', undefined, { error: errorOf(error) });
    });
    return begun;
  };

  const acts = {
    async connect(step) {
      ({ secret } = step);
      session ??= begin();
      await until(() => sockets.length > 0, 'connection');
      socket = sockets.shift();
      socket.onopen();
    },
    call({ as, method, args }) {
      const abort = new AbortController();
      calls.set(as, abort);
      const onProgress = (value) => see('progress', as, { value: plain(value) });
      session.call(method, args, {}, { signal: abort.signal, onProgress }).then(
        (value) => see('result', as, { value: plain(value) }),
        (error) => {
          if (error.name === 'ConnectionLost') see('lost', as, { maybeExecuted: error.maybeExecuted });
          else if (!abort.signal.aborted) see('error', as, { error: errorOf(error) });
        },
      );
    },
    cancel({ as }) {
      calls.get(as).abort();
    },
    subscribe({ as, topic, filter }) {
      const subscription = session.subscribe(topic, {
        filter,
        onEvent: (value) => see('event', as, { value: plain(value) }),
        onGap: (missed) => see('gap', as, { missed }),
        onEnd: (error) => !error && see('end', as),
      });
      subscriptions.set(as, subscription);
      subscription.promise.then(
        () => see('subscribed', as),
        (error) => error.code !== -32099 && see('refusal', as, { error: errorOf(error) }),
      );
    },
    unsubscribe({ as }) {
      void subscriptions.get(as).unsubscribe();
    },
    lose() {
      socket.lose();
    },
  };

  try {
    for (const step of steps) {
      if (step.do) await acts[step.do](step);
      for (const message of step.sends ?? []) {
        await until(() => socket.sent.length > 0, `a request like ${JSON.stringify(message)}`);
        same(request(socket.sent.shift()), request(message));
      }
      for (const frame of step.receives ?? []) socket.receive(frame);
      if (step.sees) {
        await until(() => seen.length > 0, JSON.stringify(step));
        same(seen.shift(), step);
      }
    }
    for (let n = 0; n < TURNS; n += 1) await turn();
    same([seen, socket.sent], [[], []]);
  } finally {
    await session.close();
  }
}

async function until(holds, what) {
  for (let n = 0; !holds(); n += 1) {
    if (n === TURNS) throw new Error(`there is no ${what}`);
    await turn();
  }
}

/** Without what clients may say in several ways: empty arguments, and the extensions that they know. */
function request({ id, method, args = [], kwargs = {} }) {
  if (method !== 'wslink.hello') return { id, method, args, kwargs };
  const [{ extensions: _, ...hello }] = args;
  return { id, method, args: [hello], kwargs };
}

/** As the recordings write values that JSON does not have. */
function plain(value) {
  if (typeof value === 'bigint') return { $integer: String(value) };
  if (value instanceof Uint8Array) return { $bytes: hexOf(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

const errorOf = ({ code, message, data = null }) => ({ code, message, data });

function same(got, wanted) {
  const [left, right] = [got, wanted].map((value) => JSON.stringify(sorted(value)));
  if (left !== right) throw new Error(`got ${left}\ninstead of ${right}`);
}

/** The order of members says nothing, and undefined is null. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}
