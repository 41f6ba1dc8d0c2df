// Binary values in both directions.
import { MEBIBYTE, crc32, pattern } from './bytes.js';
import { equal } from './check.js';

export const binaries = {
  'downloads bytes of many sizes': async ({ connect }) => {
    const client = await connect();
    for (const size of [0, 1, 255, 65536, 262_145, MEBIBYTE + 1]) {
      await downloads(client, size, 3);
    }
  },

  'downloads the same bytes twice in one result': async ({ connect, protocol }) => {
    const client = await connect();
    const pair = await client.call('kit.pair');
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    equal(pair.a, bytes);
    // The v1 client forgets an attachment at the first use of its key.
    if (protocol === 'v2') equal(pair.b, bytes);
  },

  'uploads bytes by position and by name': async ({ connect }) => {
    const client = await connect();
    const bytes = pattern(70_000, 1);
    const wanted = { length: bytes.length, crc32: crc32(bytes) };
    equal(await client.call('kit.blob.info', [client.attach(bytes)]), wanted);
    equal(await client.call('kit.blob.info', [], { data: client.attach(bytes) }), wanted);
  },

  'echoes binaries nested in arguments': async ({ connect }) => {
    const client = await connect();
    const [a, b, c] = [1, 2, 3].map((seed) => pattern(40 + seed, seed));
    const args = [{ list: ['text', client.attach(a), [client.attach(b)]] }, null];
    const kwargs = { outer: { inner: [client.attach(c), 1.5] } };
    equal(await client.call('kit.echo', args, kwargs), {
      args: [{ list: ['text', a, [b]] }, null],
      kwargs: { outer: { inner: [c, 1.5] } },
    });
  },

  'keeps the uploads of two clients apart': async ({ connect }) => {
    const clients = [await connect(), await connect()];
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    await Promise.all(
      rounds.flatMap((round) =>
        clients.map(async (client, index) => {
          const bytes = pattern(100 + round, 50 * index + round);
          equal((await client.call('kit.echo', [client.attach(bytes)])).args, [bytes]);
        }),
      ),
    );
  },

  'takes text that looks like an attachment as text': async ({ connect }) => {
    const client = await connect();
    equal((await client.call('kit.echo', ['wslink_bin0'])).args, ['wslink_bin0']);
  },

  'downloads 32 MiB': async ({ connect }) => {
    await downloads(await connect(), 32 * MEBIBYTE, 9);
  },

  'uploads 32 MiB': async ({ connect }) => {
    const client = await connect();
    const bytes = pattern(32 * MEBIBYTE, 11);
    const info = await client.call('kit.blob.info', [client.attach(bytes)]);
    equal(info, { length: bytes.length, crc32: crc32(bytes) });
  },
};

async function downloads(client, size, seed) {
  const bytes = await client.call('kit.blob', [size, seed]);
  const wanted = pattern(size, seed);
  equal([bytes.length, crc32(bytes)], [wanted.length, crc32(wanted)], `${size} bytes`);
}
