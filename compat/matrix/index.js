// All cases by server, and the one way to run a case, in node and in a page.
import { binaries } from './binaries.js';
import { calls } from './calls.js';
import { chat } from './chat.js';
import { connections } from './connections.js';
import { errors } from './errors.js';
import { events } from './events.js';
import { simple } from './simple.js';
import { StockClient } from './stock-client.js';

export const PROTOCOLS = ['v1', 'v2'];

export const CASES = {
  simple,
  chat,
  kit: { ...calls, ...errors, ...binaries, ...events, ...connections },
};

// `stock` holds the two client bundles by protocol; `url` is the server's WebSocket.
export async function run({ server, name, protocol, stock, url }) {
  const clients = [];
  const connect = async (options = {}) => {
    const client = new StockClient(stock[options.protocol ?? protocol], { url, ...options });
    await client.open();
    clients.push(client);
    return client;
  };
  try {
    await CASES[server][name]({ connect, protocol, topic: topicOf(name, protocol) });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

// Every stock client gets every event, so cases on one server must not share a topic.
function topicOf(name, protocol) {
  return `${protocol}.${name.replaceAll(/\W+/g, '_')}`;
}
