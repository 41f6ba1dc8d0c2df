// Keeps pictures of a drag, as the server of `render` draws them, as files with their number and time in their names.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { connect } from '../../js-client/dist/index.js';

const PICTURES = 20;
/** What the page asks for while it is dragged. */
const [SIZE, QUALITY, RATIO] = [[934, 430], 70, 0.6];

export async function recordPictures(url, folder) {
  const session = connect(url, { reconnect: false, webSocket: (to) => new WebSocket(to) });
  const pictures = session.subscribe('viewport.image.push.subscription', { buffer: 'latest' })[Symbol.asyncIterator]();
  await session.call('viewport.image.push.observer.add', ['-1']);
  await pictures.next();
  await session.call('viewport.image.push.original.size', ['-1', ...SIZE]);
  await session.call('viewport.image.push.quality', ['-1', QUALITY, RATIO]);
  for (let number = 0; number < PICTURES; number += 1) {
    const event = { view: '-1', action: 'down', x: 0.4 + number * 0.01, y: 0.5, buttonLeft: 1 };
    await session.call('viewport.mouse.interaction', [event]);
    const { value } = await pictures.next();
    await writeFile(join(folder, `${String(number).padStart(2, '0')}-${value.workTime}.jpg`), value.image);
  }
  await session.close();
}
