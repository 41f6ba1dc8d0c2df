// The inspector: connects to the server that served it, and shows what it offers and does.
import { documentOf, type Method, type OpenRpc, type Topic } from '../generator/src/document.js';
import { connect, type Session } from '../src/index.js';
import { door, forget, keep, knownSecret } from './door.js';
import { fill, h } from './dom.js';
import { Log } from './log.js';
import { methodPage } from './method.js';
import { Overview } from './overview.js';
import { Fields } from './schema.js';
import type { Statistics } from './statistics.js';
import { topicPage, type Page } from './topic.js';

const PAGES: Readonly<Record<string, string>> = { methods: 'Methods', log: 'Messages' };

/** How often the server is asked for its statistics. */
const INTERVAL = 1000;

const known = knownSecret();
if (known === undefined) ask(false);
else void open(known);

function isRefused(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'AuthenticationError';
}

function ask(refused: boolean): void {
  if (refused) forget();
  fill(
    document.body,
    door(refused, (secret) => void open(secret)),
  );
  document.querySelector<HTMLElement>('#secret')?.focus();
}

/** Where the WebSocket is: beside this page, whatever is before both. */
function socketUrl(): string {
  const endpoint = document.querySelector<HTMLMetaElement>('meta[name=wslink-endpoint]')!.content;
  const before = location.pathname.replace(/\/_wslink\/?$/, '');
  return `${location.origin.replace(/^http/, 'ws')}${before}${endpoint}`;
}

async function open(secret: string): Promise<void> {
  fill(document.body, h('main', { class: 'door' }, h('p', { role: 'status' }, 'Connecting …')));
  const session = connect(socketUrl(), { secret });
  try {
    await session.ready;
    const manifest = documentOf(await session.call('wslink.inspector.manifest'));
    keep(secret);
    new Inspector(session, manifest);
  } catch (error) {
    await session.close();
    if (isRefused(error)) return ask(true);
    // Whatever else failed, the secret may be right.
    fill(document.body, h('main', { class: 'door' }, h('p', { class: 'failure', role: 'alert' }, String(error))));
  }
}

class Inspector {
  readonly #session: Session;
  readonly #manifest: OpenRpc;
  readonly #fields: Fields;
  readonly #log = new Log();
  readonly #overview = new Overview();
  readonly #main = h('main', { id: 'main', tabIndex: -1 });
  readonly #menu = h('nav', { 'aria-label': 'Methods and topics' });
  readonly #state = h('span', { class: 'state', role: 'status' });
  readonly #pages = new Map<string, Page>();
  /** Aborted when the page asks for another secret. */
  readonly #gone = new AbortController();
  #shown: Page | undefined;

  constructor(session: Session, manifest: OpenRpc) {
    this.#session = session;
    this.#manifest = manifest;
    this.#fields = new Fields(manifest.components?.schemas ?? {});
    const { title, version } = manifest.info;
    const header = h(
      'header',
      {},
      h('a', { href: '#', class: 'brand' }, h('b', {}, title || 'wslink'), h('span', {}, version)),
      h(
        'nav',
        { class: 'tabs', 'aria-label': 'Pages' },
        tab('', 'Overview'),
        tab('methods', 'Methods'),
        tab('log', 'Messages'),
      ),
      this.#state,
    );
    fill(document.body, header, h('div', { class: 'columns' }, this.#menu, this.#main));
    this.#fillMenu();
    session.onStateChange(() => this.#tell());
    this.#tell();
    const moved = (): void => {
      this.#route();
      // Who does not see the page hears where it went.
      this.#main.focus({ preventScroll: true });
    };
    addEventListener('hashchange', moved, { signal: this.#gone.signal });
    this.#route();
    void this.#watch();
  }

  #tell(): void {
    const { state } = this.#session;
    const { status } = state;
    if (status === 'closed' && isRefused(state.error)) {
      // The server has started anew with another secret.
      this.#gone.abort();
      this.#shown?.leave?.();
      return ask(true);
    }
    this.#state.textContent = status;
    this.#state.dataset['status'] = status;
    this.#log.add('state', status);
  }

  async #watch(): Promise<void> {
    while (this.#session.state.status !== 'closed') {
      try {
        const now = await this.#session.call<Statistics>('wslink.inspector.statistics', [], {}, { timeout: 10_000 });
        this.#overview.update(now, this.#session.clientId);
      } catch {
        // The session tells its state, and this asks again.
      }
      this.#shown?.tick?.();
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
    }
  }

  #fillMenu(): void {
    const search = h('input', { type: 'search', placeholder: 'Search', 'aria-label': 'Search methods and topics' });
    const lists = h('div');
    const show = (): void => {
      const wanted = search.value.toLowerCase().split(/\s+/);
      const fits = (one: Method | Topic): boolean => {
        const text = `${one.name} ${one.summary ?? ''} ${one.description ?? ''}`.toLowerCase();
        return wanted.every((word) => text.includes(word));
      };
      const methods = this.#manifest.methods.filter(fits);
      const topics = (this.#manifest['x-wslink']?.topics ?? []).filter(fits);
      fill(
        lists,
        ...list('Methods', 'method', methods),
        ...list('Topics', 'topic', topics),
        methods.length + topics.length === 0 && h('p', { class: 'note' }, 'Nothing fits.'),
        otherTopic(),
      );
      this.#mark();
    };
    search.addEventListener('input', show);
    fill(this.#menu, search, lists);
    show();
  }

  #route(): void {
    const [, kind = '', encoded = ''] = /^#?([^/]*)\/?(.*)$/s.exec(location.hash) ?? [];
    const name = decoded(encoded);
    this.#shown?.leave?.();
    this.#shown = this.#page(kind, name);
    fill(this.#main, this.#shown.element);
    // On a narrow screen the menu is a page of its own.
    document.body.dataset['page'] = kind || 'overview';
    document.title = `${name || (PAGES[kind] ?? 'Overview')} – ${this.#manifest.info.title || 'wslink'}`;
    this.#mark();
    scrollTo(0, 0);
  }

  #page(kind: string, name: string): Page {
    const key = `${kind}/${name}`;
    const made = this.#pages.get(key) ?? this.#make(kind, name);
    this.#pages.set(key, made);
    return made;
  }

  #make(kind: string, name: string): Page {
    const method = kind === 'method' && this.#manifest.methods.find((one) => one.name === name);
    if (method) return { element: methodPage(method, this.#fields, this.#session, this.#log) };
    const topic = kind === 'topic' && this.#manifest['x-wslink']?.topics?.find((one) => one.name === name);
    if (topic) return topicPage(topic, this.#fields, this.#session, this.#log);
    if (kind === 'topic') return topicPage({ name, payload: true }, this.#fields, this.#session, this.#log);
    if (kind === 'log') return { element: this.#log.element };
    return { element: this.#overview.element };
  }

  /** Marks where we are in the menus. */
  #mark(): void {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('nav a')) {
      const here = (link.getAttribute('href') ?? '') === (location.hash || '#');
      if (here) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
}

/** A name may be any text. */
function address(kind: string, name: string): string {
  return `#${kind}/${encodeURIComponent(name)}`;
}

/** What somebody typed into the address may not be encoded. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Leads to a topic that is named at run time, and in no manifest. */
function otherTopic(): HTMLElement {
  const input = h('input', {
    type: 'text',
    placeholder: 'Another topic',
    'aria-label': 'Another topic',
    spellcheck: false,
  });
  const go = (event: Event): void => {
    event.preventDefault();
    if (input.value !== '') location.hash = address('topic', input.value);
  };
  return h('form', { onsubmit: go }, input);
}

function tab(to: string, name: string): HTMLElement {
  return h('a', { href: `#${to}` }, name);
}

function list(title: string, kind: string, all: readonly (Method | Topic)[]): HTMLElement[] {
  if (all.length === 0) return [];
  const items = all.map((one) =>
    h(
      'li',
      {},
      h(
        'a',
        { href: address(kind, one.name), class: one.deprecated ? 'deprecated' : '' },
        h('code', {}, one.name),
        one.summary !== undefined && h('small', {}, one.summary),
      ),
    ),
  );
  return [h('h2', {}, title), h('ul', {}, ...items)];
}
