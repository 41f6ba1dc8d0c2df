// The page of the `render` example: vtk.js's remote view over the chosen client, with meters beside it.
import type { Session } from 'wslink-client';
import { api, type Api } from './api.js';
import { keepConnected, type Kind } from './client.js';
import { Chart } from './chart.js';
import { Meter } from './meter.js';
import { showView, type Quality, type ShownView } from './remote-view.js';

/** Shown by the remote view itself. */
const VIEW = '-1';
/** How far a key turns, as a part of the view. */
const STEP = 0.03;
const PERIOD = 250;

const element = <E extends HTMLElement>(id: string): E => document.querySelector<E>(`#${id}`)!;
const container = element('view');
const quality = element<HTMLSelectElement>('quality');
const spin = element('spin');
const meter = new Meter();
const charts = { frames: new Chart('frames-chart'), bytes: new Chart('bytes-chart'), delay: new Chart('delay-chart') };

const query = new URLSearchParams(location.search);
const kind: Kind = query.get('client') === 'stock' ? 'stock' : 'ours';
const url = serverUrl(query.get('server'));

/** For measurements, another server may be given, but only one of this machine: a link must not choose where a page connects. */
function serverUrl(given: string | null): string {
  const own = new URL('ws', document.baseURI);
  own.protocol = own.protocol.replace('http', 'ws');
  const other = new URL(given ?? own, own);
  const isLocal = ({ hostname }: URL): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return (isLocal(own) && isLocal(other) ? other : own).href;
}

let server: Api | undefined;
let shown: ShownView | undefined;
let pictures: AbortController | undefined;

document.querySelector(`[data-client=${kind}]`)?.setAttribute('aria-current', 'page');
keepConnected(kind, url, {
  connecting: () => tell('connecting', 'Connecting', ''),
  ready,
  lost(reason) {
    tell('closed', 'Disconnected', reason);
    server = undefined;
    press(false);
  },
});

function ready(session: Session): void {
  shown?.remove();
  meter.restart();
  listen(session);
  shown = showView(container, session, quality.value as Quality, {
    moved: () => meter.moved(),
    shown: () => requestAnimationFrame(() => meter.shown()),
  });
  server = api(session);
  tell('connected', 'Connected', kind === 'ours' ? 'with wslink-client' : 'with the stock client');
}

/** Hears what pictures tell about themselves; vtk.js shows them. */
function listen(session: Session): void {
  pictures?.abort();
  pictures = new AbortController();
  const { signal } = pictures;
  const told = ({ memsize, events, size, workTime }: Told): void => {
    if (signal.aborted) return;
    // 64 bits on the server, and never that many here.
    meter.came({ bytes: memsize, events: events === undefined ? undefined : Number(events) });
    element<HTMLOutputElement>('picture').value = `${size[0]} × ${size[1]}`;
    element('work').textContent = `${(memsize / 1024).toFixed(0)} KiB, took ${workTime} ms`;
  };
  // The stock session has only this form of `subscribe`.
  if (kind === 'stock') session.subscribe('viewport.image.push.subscription', ([picture]) => told(picture));
  else api(session).viewport.image.push.subscription({}, { onEvent: told, signal });
}

/** What the pictures of any server of this protocol tell. */
interface Told {
  memsize: number;
  events?: number | bigint | undefined;
  size: readonly number[];
  workTime: number | bigint;
}

function tell(state: string, label: string, detail: string): void {
  const status = element('state');
  status.dataset['state'] = state;
  status.querySelector('strong')!.textContent = label;
  status.querySelector('span')!.textContent = detail;
}

function press(pressed: boolean): void {
  spin.setAttribute('aria-pressed', String(pressed));
}

/** What buttons and keys do; while there is no server, nothing. */
const actions = {
  reset: () => server?.viewport.camera.reset({ view: VIEW }),
  spin() {
    const start = spin.getAttribute('aria-pressed') !== 'true';
    press(start && server !== undefined);
    return server?.viewport.image.animation[start ? 'start' : 'stop']({ view: VIEW });
  },
  nearer: () => zoom(-1.5),
  farther: () => zoom(1.5),
};

async function zoom(spinY: number): Promise<void> {
  if (!server) return;
  meter.moved();
  await server.viewport.mouse.zoom.wheel({ event: { view: VIEW, type: 'MouseWheel', spinY } });
  await server.viewport.mouse.zoom.wheel({ event: { view: VIEW, type: 'EndMouseWheel' } });
  await server.viewport.image.push({ options: { view: VIEW } });
}

/** A drag from the middle of the view. */
async function turn(x: number, y: number): Promise<void> {
  if (!server) return;
  const event = (action: 'down' | 'up', at: [number, number]) => ({
    event: { view: VIEW, action, x: at[0], y: at[1], buttonLeft: 1 },
  });
  const { interaction } = server.viewport.mouse;
  const end: [number, number] = [0.5 + x, 0.5 + y];
  meter.moved();
  meter.moved();
  await Promise.all([
    interaction(event('down', [0.5, 0.5])),
    interaction(event('down', end)),
    interaction(event('up', end)),
  ]);
  await server.viewport.image.push({ options: { view: VIEW } });
}

const KEYS: Record<string, () => unknown> = {
  ArrowLeft: () => turn(-STEP, 0),
  ArrowRight: () => turn(STEP, 0),
  ArrowUp: () => turn(0, STEP),
  ArrowDown: () => turn(0, -STEP),
  '+': actions.nearer,
  '=': actions.nearer,
  '-': actions.farther,
  r: actions.reset,
  ' ': actions.spin,
};

container.addEventListener('keydown', (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  void ignoringLoss(action());
});
for (const [id, action] of Object.entries(actions)) {
  element(id).addEventListener('click', () => void ignoringLoss(action()));
}
quality.addEventListener('change', () => shown?.setQuality(quality.value as Quality));
new ResizeObserver(() => shown?.resize()).observe(container);

/** A call that the connection does not survive is no mistake: the page tells of the connection. */
async function ignoringLoss(call: unknown): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (server) throw error;
  }
}

setInterval(() => {
  const { framesPerSecond, bytesPerSecond, delay } = meter.read();
  element<HTMLOutputElement>('frames').value = framesPerSecond.toFixed(0);
  element<HTMLOutputElement>('bytes').value = (bytesPerSecond / 1024).toFixed(0);
  element<HTMLOutputElement>('delay').value = delay === undefined ? '–' : delay.toFixed(0);
  charts.frames.add(framesPerSecond);
  charts.bytes.add(bytesPerSecond);
  charts.delay.add(delay ?? 0);
}, PERIOD);

// For measurements.
Object.assign(window, { meter });
