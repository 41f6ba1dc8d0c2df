// One topic: subscribes to it, and shows its newest event and how fast they come.
import type { Topic } from '../generator/src/document.js';
import type { Session } from '../src/index.js';
import { Chart } from './chart.js';
import { fill, h } from './dom.js';
import { number } from './format.js';
import type { Log } from './log.js';
import { documentation, heading, needs, parameterField } from './method.js';
import type { Fields } from './schema.js';
import { view } from './value.js';

/** Shown at most so often, however fast events come. */
const REFRESH = 200;

export interface Page {
  readonly element: HTMLElement;
  /** Called each second while it is shown. */
  tick?(): void;
  /** It is shown no more. */
  leave?(): void;
}

interface Delivery {
  readonly delivery?: { readonly policy: string };
  readonly retain?: boolean;
}

export function topicPage(topic: Topic & Delivery, fields: Fields, session: Session, log: Log): Page {
  const filter = (topic.filter ?? []).map((parameter) => [parameter, parameterField(parameter, fields)] as const);
  const state = h('p', { class: 'note', role: 'status' }, 'Not subscribed.');
  const rate = h('output', {}, '0');
  const total = h('output', {}, '0');
  const chart = new Chart('Events per second', number);
  const newest = h('div', { class: 'output' });
  const toggle = h('button', { type: 'submit', class: 'strong' }, 'Subscribe');
  let stop: AbortController | undefined;
  let shown = new AbortController();
  let [count, counted, refreshed] = [0, 0, 0];
  let waiting: unknown;
  let due: number | undefined;

  const show = (): void => {
    due = undefined;
    refreshed = performance.now();
    shown.abort();
    shown = new AbortController();
    fill(newest, h('h2', {}, 'Newest event'), view(waiting, shown.signal));
  };
  const onEvent = (payload: unknown): void => {
    count++;
    total.textContent = number(count);
    waiting = payload;
    log.add('event', topic.name, payload);
    due ??= window.setTimeout(show, Math.max(0, refreshed + REFRESH - performance.now()));
  };
  const leave = (): void => {
    stop?.abort();
    stop = undefined;
    toggle.textContent = 'Subscribe';
    state.textContent = 'Not subscribed.';
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (stop) return leave();
    const stopping = new AbortController();
    stop = stopping;
    toggle.textContent = 'Unsubscribe';
    try {
      const given = await Promise.all(
        filter.map(async ([parameter, field]) => [parameter.name, await field.read()] as const),
      );
      const chosen = Object.fromEntries(given.filter(([, value]) => value !== undefined));
      const subscription = session.subscribe(topic.name, { filter: chosen, onEvent, signal: stopping.signal });
      await subscription.promise;
      if (stop === stopping) state.textContent = 'Subscribed.';
    } catch (error) {
      leave();
      state.textContent = String(error);
      log.add('error', topic.name, String(error));
    }
  };

  const policy = topic.delivery?.policy;
  const element = h(
    'section',
    { class: 'page' },
    heading(topic.name, topic),
    documentation(topic),
    needs(topic.require),
    policy !== undefined &&
      h(
        'p',
        {},
        h('code', { class: 'chip' }, policy),
        topic.retain === true && h('code', { class: 'chip' }, 'retained'),
      ),
    h(
      'form',
      { class: 'arguments', onsubmit: submit },
      ...filter.map(([, field]) => field.element),
      h('div', { class: 'bar' }, toggle, state),
    ),
    h('div', { class: 'tiles' }, tile('Events per second', rate), tile('Events', total)),
    chart.element,
    newest,
  );
  return {
    element,
    tick() {
      rate.textContent = number(count - counted);
      chart.add(count - counted);
      counted = count;
    },
    leave() {
      leave();
      shown.abort();
      clearTimeout(due);
    },
  };
}

export function tile(name: string, value: HTMLElement, extra?: HTMLElement): HTMLElement {
  return h('div', { class: 'tile' }, h('span', {}, name), value, extra);
}
