// What an application of the stock client relies on; the stock classes themselves have to pass too.
import WSLinkClient from '@kitware/vtk.js/IO/Core/WSLinkClient.js';
import { equal } from './check.js';

const PNG = [137, 80, 78, 71];
const bytesOf = async (binary) => [...new Uint8Array(await new Blob([binary]).arrayBuffer())];
const heard = (on) => new Promise((resolve) => on((...args) => resolve(args)));

export const stock = {
  async 'the WSLinkClient of vtk.js'({ SmartConnect, url }) {
    WSLinkClient.setSmartConnectClass(SmartConnect);
    const client = WSLinkClient.newInstance({
      protocols: {
        Simple: (session) => ({
          add: (numbers) => session.call('myprotocol.add', [numbers]),
          image: () => session.call('myprotocol.image'),
          stream: (topic) => session.call('myprotocol.stream', [topic]),
          stop: (topic) => session.call('myprotocol.stop', [topic]),
          onImage: (callback) => session.subscribe('image', ([image]) => callback(image)),
        }),
      },
    });
    const busy = [];
    client.onBusyChange((count) => busy.push(count));
    await client.connect({ sessionURL: url, application: 'simple' });
    equal(client.isConnected(), true);
    equal(client.getConfig().application, 'simple');
    const { Simple } = client.getRemote();
    equal(await Simple.add([1, 2, 3]), 6);
    equal((await bytesOf((await Simple.image()).blob)).slice(0, 4), PNG);
    equal(busy.includes(1), true);

    const events = heard(client.getProtocols().Simple(client.getConnection().getSession()).onImage);
    await Simple.stream('image');
    const [{ blob }] = await events;
    equal((await bytesOf(blob)).slice(0, 4), PNG);
    await Simple.stop('image');
    client.disconnect(0);
    equal(client.isConnected(), false);
  },

  async 'SmartConnect with a known server'({ SmartConnect, url }) {
    const connect = SmartConnect.newInstance({ config: { sessionURL: url } });
    const ready = heard(connect.onConnectionReady);
    connect.connect();
    const [connection] = await ready;
    const session = connection.getSession();
    equal(session === connect.getSession(), true);
    equal(connection.getUrl(), url);
    equal(await session.call('myprotocol.mult', [[2, 3]]), 6);
    const closed = heard(connect.onConnectionClose);
    session.close();
    const [source, close] = await closed;
    equal(source === connection, true);
    equal(typeof close.code, 'number');
    connect.destroy();
  },

  async 'the names of the page and a decorator'({ SmartConnect, url }) {
    const configDecorator = (config) => ({ ...config, added: true });
    const sessionURL = url.replace('127.0.0.1', 'USE_HOSTNAME');
    const connect = SmartConnect.newInstance({ config: { sessionURL }, configDecorator });
    const ready = heard(connect.onConnectionReady);
    connect.connect();
    await ready;
    equal(connect.getConfig().sessionURL, url);
    equal(connect.getConfig().added, true);
    equal(connect.getConfigDecorator() === configDecorator, true);
    connect.destroy();
  },

  async 'a launcher'({ SmartConnect, url, launcher }) {
    const connect = SmartConnect.newInstance({
      config: { sessionManagerURL: launcher, application: 'simple', url },
    });
    const ready = heard(connect.onConnectionReady);
    connect.connect();
    const [connection] = await ready;
    equal(await connection.getSession().call('myprotocol.add', [[1]]), 1);
    equal(connect.getConfig().id, 'process-1');
    connect.destroy();
  },

  async 'a launcher that is busy at first'({ SmartConnect, url, launcher }) {
    const connect = SmartConnect.newInstance({
      config: {
        sessionManagerURL: launcher,
        application: 'simple',
        url,
        launcherRetry: [1, 1],
        headers: { 'x-busy': 'first' },
      },
    });
    const ready = heard(connect.onConnectionReady);
    connect.connect();
    await ready;
    equal(connect.getConfig().id, 'process-1');
    connect.destroy();
  },

  async 'a launcher that says no'({ SmartConnect, launcher }) {
    const connect = SmartConnect.newInstance({ config: { sessionManagerURL: launcher, application: 'none' } });
    const failed = heard(connect.onConnectionError);
    connect.connect();
    const [answer, error] = await failed;
    equal(error, 'no such application');
    equal(answer.response.error, 'no such application');
    connect.destroy();
  },

  async 'no launcher'({ SmartConnect }) {
    const connect = SmartConnect.newInstance({ config: { sessionManagerURL: '/nothing/here', application: 'simple' } });
    const failed = heard(connect.onConnectionError);
    connect.connect();
    await failed;
    equal(connect.getConfig().sessionURL, `ws://${location.host}/ws`);
    connect.destroy();
  },

  async 'a wrong secret'({ SmartConnect, url }) {
    const connect = SmartConnect.newInstance({ config: { sessionURL: url, secret: 'wrong' } });
    const failed = heard(connect.onConnectionError);
    connect.connect();
    const [, error] = await failed;
    equal(error.code, -32000);
    equal(error.message, 'Authentication failed');
    connect.destroy();
  },

  async 'a server that is not there'({ WebsocketConnection }) {
    const connection = WebsocketConnection.newInstance({ urls: 'ws://127.0.0.1:9/ws' });
    const events = Promise.all([heard(connection.onConnectionError), heard(connection.onConnectionClose)]);
    connection.connect();
    const [[source, error], [, close]] = await events;
    equal(source === connection, true);
    equal(error.type, 'error');
    equal(close.code, 1006);
  },

  async 'calls before the connection fail at once'({ WebsocketConnection, url }) {
    const connection = WebsocketConnection.newInstance({ urls: [url] });
    const session = connection.connect();
    const error = await session.call('myprotocol.add', [[1]]).catch((reason) => reason);
    equal(error.code, -32099);
    connection.destroy(0);
  },

  async 'an address that is none'({ WebsocketConnection }) {
    equal(WebsocketConnection.newInstance({}).connect(), null);
    const connection = WebsocketConnection.newInstance({ urls: 'http://localhost/' });
    const failed = heard(connection.onConnectionError);
    equal(connection.connect(), null);
    await failed;
  },

  async 'uploads, errors and subscriptions'({ WebsocketConnection, url }) {
    const connection = WebsocketConnection.newInstance({ urls: url, secret: 'wslink-secret' });
    const ready = heard(connection.onConnectionReady);
    const session = connection.connect();
    equal(connection.connect() === session, true);
    await ready;
    const upload = session.addAttachment(new Uint8Array(1000).buffer);
    equal(await session.call('myprotocol.postbinary', [upload]), 'received binary data of length 1000');
    const error = await session.call('myprotocol.nothing').catch((reason) => reason);
    equal([error.code, error.message, error.data], [-32601, 'Unregistered method called', 'myprotocol.nothing']);
    equal(await session.call('myprotocol.special'), [Infinity, NaN, -Infinity]);

    const events = [];
    const callback = ([event]) => events.push(event);
    const subscription = session.subscribe('image', callback);
    const info = await subscription.promise;
    equal([info.topic, info.callback === callback], ['image', true]);
    await subscription.unsubscribe();
    equal((await session.unsubscribe(info).catch((reason) => reason)).code, -32099);
    connection.destroy(0);
  },
};
