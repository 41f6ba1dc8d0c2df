// How a generated client is used; whatever should be a mistake has to be one for the compiler.
import { connect } from 'wslink-client';
import { api, type Frame } from './render.js';

const render = api(connect('ws://localhost:8080/ws')).myapp;

export async function calls(abort: AbortSignal): Promise<Frame> {
  const windows: string[] = await render.render.window();
  const frame = await render.render.window.image({ w: windows.length, h: 512 }, { signal: abort, timeout: 1000 });
  const image: Uint8Array = frame.image;
  await render.render.window.image.positional([1, 2]);
  await render.render.window.image.positional([1, 2, 90], { timeout: 5 });
  const nothing: null = await render.scene.load({ data: image, options: { up: 'z' } });
  const any: unknown = await render.scene['log-all'].positional(['debug', 1, 2, nothing]);
  await render.scene['log-all']({ 'log-level': 'info', further: any });

  // @ts-expect-error `h` is missing
  await render.render.window.image({ w: 1 });
  // @ts-expect-error there is no `depth`
  await render.render.window.image({ w: 1, h: 1, depth: 1 });
  // @ts-expect-error a number is no text
  await render.render.window.image.positional(['1', 2]);
  // @ts-expect-error it takes nothing
  await render.render.window({ a: 1 });
  // @ts-expect-error there is no such level
  await render.scene['log-all']({ 'log-level': 'loud' });
  // @ts-expect-error there is no such method
  await render.scene.save();
  return frame;
}

export async function failures(): Promise<number> {
  const { image } = render.render.window;
  try {
    await image({ w: 1, h: 1 });
    return 0;
  } catch (error) {
    if (!image.failed(error)) throw error;
    switch (error.data.name) {
      case 'NoSuchWindow':
        // @ts-expect-error only the other error has a limit
        return error.data.limit;
      case 'TooLarge':
        return error.data.limit;
    }
  }
}

export async function topics(): Promise<void> {
  for await (const { size } of render.render.window.changed()) console.log(size[0] + size[1]);
  for await (const { tile } of render.render.tiles({ region: 'left' }, { buffer: 'latest' }))
    console.log(tile.toFixed());
  render.render.window.changed({ buffer: 'latest', onEnd: (error) => console.warn(error) });
  render.render.window.changed({}, { onEvent: (frame) => frame.parts?.[0]?.title });
  // @ts-expect-error the region is missing
  render.render.tiles();
  // @ts-expect-error a number is no region
  render.render.tiles({ region: 1 });
}
