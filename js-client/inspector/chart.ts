// A line of the last minute, drawn as SVG so that it has the colours of the page.
import { h } from './dom.js';

const POINTS = 60;
const [WIDTH, HEIGHT] = [600, 120];
const SVG = 'http://www.w3.org/2000/svg';

export class Chart {
  readonly element: HTMLElement;
  readonly #points: number[] = [];
  readonly #line = shape('polyline', 'line');
  readonly #area = shape('polygon', 'area');
  readonly #highest = h('span');
  readonly #now = h('b');
  readonly #show: (value: number) => string;

  constructor(name: string, show: (value: number) => string) {
    this.#show = show;
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    svg.append(this.#area, this.#line);
    const caption = h('figcaption', {}, h('span', {}, name), this.#now, this.#highest);
    this.element = h('figure', { class: 'chart' }, caption, svg);
  }

  add(value: number): void {
    this.#points.push(value);
    if (this.#points.length > POINTS) this.#points.shift();
    const highest = Math.max(...this.#points);
    const scale = highest > 0 ? (HEIGHT - 8) / highest : 0;
    const step = WIDTH / (POINTS - 1);
    const first = WIDTH - (this.#points.length - 1) * step;
    const points = this.#points.map(
      (point, at) => `${(first + at * step).toFixed(1)},${(HEIGHT - 2 - point * scale).toFixed(1)}`,
    );
    this.#line.setAttribute('points', points.join(' '));
    this.#area.setAttribute('points', `${first.toFixed(1)},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`);
    this.#now.textContent = this.#show(value);
    this.#highest.textContent = `most ${this.#show(highest)}`;
  }
}

function shape(tag: 'polyline' | 'polygon', name: string): SVGElement {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute('class', name);
  return element;
}
