// Keeps one connection of the stock client and reports its state.

const STATES = { connecting: 'Connecting', connected: 'Connected', refused: 'Refused', closed: 'Disconnected' };

export class Connection {
  #client = null;
  #report;

  // `report({ state, label, detail })` is called at every change.
  constructor(report) {
    this.#report = report;
  }

  get session() {
    return this.#client.getSession();
  }

  open() {
    const previous = this.#client;
    const { url, secret } = target();
    const client = wslink.WebsocketConnection.newInstance({ urls: url, secret });
    this.#client = client;
    previous?.getSession()?.close();

    let state;
    const change = (next, detail) => {
      // A connection that was replaced has nothing more to say.
      if (client !== this.#client) return;
      state = next;
      this.#report({ state, label: STATES[state], detail });
    };
    change('connecting', `to ${url}`);
    client.onConnectionReady(() => change('connected', `to ${url}`));
    client.onConnectionError((_client, error) => {
      // The browser's own error events say nothing; the close event that follows does.
      if (error.code) change('refused', `${error.message} (${error.code})`);
    });
    client.onConnectionClose((_client, event) => {
      if (state !== 'refused') change('closed', event.reason || `with code ${event.code}`);
    });
    client.connect();
  }
}

function target() {
  const url = new URL('ws', document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  const secret = new URLSearchParams(window.location.search).get('secret') ?? 'wslink-secret';
  return { url: url.href, secret };
}
