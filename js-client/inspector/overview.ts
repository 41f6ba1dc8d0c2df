// The server as a whole: figures, charts of the last minute, and who is connected.
import { Chart } from './chart.js';
import { fill, h } from './dom.js';
import { bytes, duration, number } from './format.js';
import {
  buckets,
  calls,
  dropped,
  failures,
  others,
  quantile,
  type ClientStatistics,
  type Statistics,
} from './statistics.js';
import { tile } from './topic.js';

export class Overview {
  readonly #figures = h('div', { class: 'tiles' });
  readonly #charts = {
    connections: new Chart('Connections', number),
    calls: new Chart('Calls per second', number),
    latency: new Chart('95 % of calls below', (value) => (value > 0 ? duration(value) : '–')),
    sent: new Chart('Sent per second', bytes),
    queued: new Chart('Queued', bytes),
    drops: new Chart('Events dropped per second', number),
  };
  readonly #connections = h('tbody');
  readonly #methods = h('tbody');
  readonly #topics = h('tbody');
  readonly #refusals = h('p', { class: 'note' });
  readonly element = h(
    'section',
    { class: 'page' },
    h('h1', {}, 'Overview'),
    this.#figures,
    h('div', { class: 'charts' }, ...Object.values(this.#charts).map((chart) => chart.element)),
    h('h2', {}, 'Connections'),
    table(
      'Connections',
      ['Client', 'Address', 'Wire', 'Age', 'Received', 'Sent', 'Queued', 'Dropped', 'In flight', 'Ping'],
      this.#connections,
    ),
    this.#refusals,
    h('h2', {}, 'Methods'),
    table('Methods', ['Method', 'Calls', 'Failed', 'In flight', 'Half below', '95 % below'], this.#methods),
    h('h2', {}, 'Topics'),
    table('Topics', ['Topic', 'Published', 'Queued', 'Dropped'], this.#topics),
  );
  #last: Statistics | undefined;

  update(now: Statistics, self: string | undefined): void {
    const last = this.#last;
    this.#last = now;
    const methods = others(now);
    const all = methods.reduce((total, method) => total + calls(method), 0);
    const failed = methods.reduce((total, method) => total + failures(method), 0);
    fill(
      this.#figures,
      tile('Connections', h('output', { id: 'connections' }, now.connections)),
      tile('Calls', h('output', {}, number(all))),
      tile('Failed', h('output', { class: failed > 0 ? 'bad' : '' }, number(failed))),
      tile('Sent', h('output', {}, bytes(now.sent_bytes))),
      tile('Queued', h('output', {}, bytes(now.queued_bytes))),
      tile('Events dropped', h('output', { class: dropped(now) > 0 ? 'bad' : '' }, number(dropped(now)))),
    );
    if (last) this.#draw(last, now);
    this.#tabulate(now, self);
  }

  #draw(last: Statistics, now: Statistics): void {
    const seconds = Math.max(now.seconds - last.seconds, 0.001);
    const rate = (of: (statistics: Statistics) => number): number => Math.max(0, of(now) - of(last)) / seconds;
    const before = buckets(others(last));
    const recent = buckets(others(now)).map((count, at) => count - (before[at] ?? 0));
    const { connections, calls: called, latency, sent, queued, drops } = this.#charts;
    connections.add(now.connections);
    called.add(rate((statistics) => others(statistics).reduce((total, method) => total + calls(method), 0)));
    latency.add(quantile(recent, 0.95) ?? 0);
    sent.add(rate((statistics) => statistics.sent_bytes));
    queued.add(now.queued_bytes);
    drops.add(rate(dropped));
  }

  #tabulate(now: Statistics, self: string | undefined): void {
    fill(this.#connections, ...now.clients.map((client) => connectionRow(client, client.id === self)));
    const refused = [
      ...Object.entries(now.handshakes_refused).map(([why, count]) => `${count} handshakes refused (${why})`),
      ...(now.hellos_failed > 0 ? [`${now.hellos_failed} hellos refused`] : []),
      ...Object.entries(now.connections_closed).map(([why, count]) => `${count} ended (${why})`),
    ];
    fill(this.#refusals, refused.join(' · '));
    fill(
      this.#methods,
      ...others(now).map((method) =>
        row(
          h('a', { href: `#method/${method.method}` }, method.method),
          number(calls(method)),
          number(failures(method)),
          method.in_flight,
          shown(quantile(method.buckets, 0.5)),
          shown(quantile(method.buckets, 0.95)),
        ),
      ),
    );
    fill(
      this.#topics,
      ...now.topics.map((topic) =>
        row(
          h('a', { href: `#topic/${topic.topic}` }, topic.topic),
          number(topic.published),
          number(topic.queued),
          Object.entries(topic.dropped)
            .map(([policy, count]) => `${number(count)} ${policy}`)
            .join(', ') || '0',
        ),
      ),
    );
  }
}

function connectionRow(client: ClientStatistics, self: boolean): HTMLElement {
  const queued = Math.max(client.queued_bytes, client.waiting_event_bytes);
  return row(
    h(
      'span',
      {},
      h('code', { title: client.id }, client.id.slice(0, 9)),
      self && h('span', { class: 'mark own' }, 'this page'),
    ),
    client.address ?? '–',
    client.protocol ?? 'no hello yet',
    duration(client.age_seconds),
    bytes(client.received_bytes),
    bytes(client.sent_bytes),
    bytes(queued),
    number(client.dropped_events),
    client.calls_in_flight,
    shown(client.ping_seconds ?? undefined),
  );
}

const shown = (seconds: number | undefined): string => (seconds === undefined ? '–' : duration(seconds));

function row(...cells: readonly (string | number | HTMLElement)[]): HTMLElement {
  return h('tr', {}, ...cells.map((cell, at) => h(at === 0 ? 'th' : 'td', at === 0 ? { scope: 'row' } : {}, cell)));
}

function table(name: string, columns: readonly string[], body: HTMLElement): HTMLElement {
  const head = h('thead', {}, h('tr', {}, ...columns.map((column) => h('th', { scope: 'col' }, column))));
  return h('div', { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': name }, h('table', {}, head, body));
}
