// Keeps one connection, of our client or of the stock one, and reports its state.
import { AuthenticationError, connect } from './vendor/client.js';

const STATES = { connecting: 'Connecting', connected: 'Connected', refused: 'Refused', closed: 'Disconnected' };

export class Connection {
  #open;
  #connection = null;
  #report;

  // `client` is `ours` or `stock`; `report({ state, label, detail })` is called at every change.
  constructor(client, report) {
    this.#open = client === 'stock' ? openStock : openOurs;
    this.#report = report;
  }

  get session() {
    return this.#connection.session;
  }

  // Connects, in place of the connection before.
  open() {
    const previous = this.#connection;
    const { url, secret } = target();
    const change = (state, detail) => {
      // A connection that was replaced has nothing more to say.
      if (connection === this.#connection) this.#report({ state, label: STATES[state], detail });
    };
    const connection = this.#open(url, secret, change);
    this.#connection = connection;
    previous?.session?.close();
    change('connecting', `to ${url}`);
    connection.begin();
  }
}

// Our client, which connects again by itself.
function openOurs(url, secret, change) {
  const connection = {
    session: null,
    begin() {
      const session = connect(url, { secret });
      connection.session = session;
      session.onStateChange(({ status, error, delay }) => {
        if (status === 'connected') change('connected', `to ${url}`);
        if (status === 'waiting') change('closed', `${error.message}; again in ${(delay / 1000).toFixed(1)} s`);
        if (status === 'closed' && error) {
          if (error instanceof AuthenticationError) change('refused', `${error.message} (${error.code})`);
          else change('closed', error.message);
        }
      });
    },
  };
  return connection;
}

function openStock(url, secret, change) {
  const client = wslink.WebsocketConnection.newInstance({ urls: url, secret });
  let refused = false;
  client.onConnectionReady(() => change('connected', `to ${url}`));
  client.onConnectionError((_client, error) => {
    // The browser's own error events say nothing; the close event that follows does.
    if (!error.code) return;
    refused = true;
    change('refused', `${error.message} (${error.code})`);
  });
  client.onConnectionClose((_client, event) => {
    if (!refused) change('closed', event.reason || `with code ${event.code}`);
  });
  return {
    get session() {
      return client.getSession();
    },
    begin: () => client.connect(),
  };
}

function target() {
  const url = new URL('ws', document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  const secret = new URLSearchParams(window.location.search).get('secret') ?? 'wslink-secret';
  return { url: url.href, secret };
}
