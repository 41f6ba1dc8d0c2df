// What the `simple` example answers.
import { isPng } from './bytes.js';
import { equal, ok } from './check.js';

export const simple = {
  'adds numbers': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('myprotocol.add', [[1, 2, 3, 4, 5]]), 15);
    equal(await client.call('myprotocol.add', [[]]), 0);
    equal(await client.call('myprotocol.add', ['not a list']), 0);
  },

  'multiplies numbers': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('myprotocol.mult', [[1, 2, 3, 4, 5]]), 120);
    equal(await client.call('myprotocol.mult', [[1.5, 2, 2]]), 6);
    equal(await client.call('myprotocol.mult', [[]]), 1);
    equal(await client.call('myprotocol.mult', [7]), 0);
  },

  'takes arguments by name': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('myprotocol.add', [], { numbers: [2, 3] }), 5);
    equal(await client.call('myprotocol.mult', [], { numbers: [2, 3] }), 6);
  },

  'sends images': async ({ connect }) => {
    const client = await connect();
    const plain = await client.call('myprotocol.image');
    const alternative = await client.call('myprotocol.image', [true]);
    ok(isPng(plain.blob), 'the image is no PNG');
    ok(isPng(alternative.blob), 'the alternative image is no PNG');
    ok(String(plain.blob) !== String(alternative.blob), 'both images are the same');
    equal(await client.call('myprotocol.image', [], { alt: true }), alternative, 'image by keyword');
    equal(await client.call('myprotocol.unwrapped.image'), plain.blob, 'unwrapped image');
    equal(await client.call('myprotocol.unwrapped.image', [true]), alternative.blob, 'unwrapped alternative');
  },

  'sends nested binaries': async ({ connect }) => {
    const client = await connect();
    const nested = await client.call('myprotocol.nested.image');
    ok(isPng(nested.image.blob), 'the nested image is no PNG');
    equal(nested.bytesList, [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8, 9, 10)]);
  },

  'receives binaries': async ({ connect }) => {
    const client = await connect();
    const upload = client.attach(Uint8Array.of(1, 2, 3, 4, 5));
    equal(await client.call('myprotocol.postbinary', [upload]), 'received binary data of length 5');
  },

  'sends numbers that JSON does not know': async ({ connect }) => {
    const client = await connect();
    equal(await client.call('myprotocol.special', [[1, 2]]), [Infinity, NaN, -Infinity]);
  },

  'streams images until stopped': async ({ connect, topic }) => {
    const client = await connect();
    const events = client.collect(topic, 2);
    equal(await client.call('myprotocol.stream', [topic]), { subscribed: topic });
    const [first, second] = await events;
    ok(isPng(first.blob) && isPng(second.blob), 'a frame is no PNG');
    ok(String(first.blob) !== String(second.blob), 'the frames do not alternate');
    equal(await client.call('myprotocol.stop', [topic]), { unsubscribed: topic });
    equal(await client.call('myprotocol.stop', [topic]), 0, 'stopping twice');
  },
};
