// What this page said and heard, newest first.
import { fill, h } from './dom.js';
import { time } from './format.js';
import { line } from './value.js';

type Kind = 'call' | 'reply' | 'error' | 'event' | 'state';

/** Entries kept. */
const KEPT = 500;

export class Log {
  readonly #list = h('ol', { class: 'log' });
  readonly element = h('section', { class: 'page' }, h('h1', {}, 'Messages'), this.#bar(), this.#list);
  #paused = false;

  add(kind: Kind, subject: string, value?: unknown): void {
    if (this.#paused) return;
    const said = value === undefined ? '' : line(value);
    const entry = h(
      'li',
      { 'data-kind': kind },
      h('time', {}, time()),
      h('b', {}, kind),
      h('code', {}, subject),
      h('span', {}, said),
    );
    this.#list.prepend(entry);
    while (this.#list.childElementCount > KEPT) this.#list.lastElementChild!.remove();
  }

  #bar(): HTMLElement {
    const pause = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Pause');
    pause.addEventListener('click', () => {
      this.#paused = !this.#paused;
      pause.setAttribute('aria-pressed', String(this.#paused));
      pause.textContent = this.#paused ? 'Go on' : 'Pause';
    });
    const clear = h('button', { type: 'button', class: 'quiet', onclick: () => fill(this.#list) }, 'Clear');
    return h('div', { class: 'bar' }, h('p', {}, 'What this page said to the server and heard from it.'), pause, clear);
  }
}
