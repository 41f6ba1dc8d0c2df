// A session in a worker, which has no document: relative URLs are relative to its own address.
import { connect } from 'wslink-client';

onmessage = async ({ data }) => {
  const relative = connect('ws', { reconnect: false });
  const { url } = relative;
  await relative.close();
  const session = connect(data);
  const { args } = await session.call('kit.echo', ['from a worker']);
  await session.close();
  postMessage({ url, args });
};
