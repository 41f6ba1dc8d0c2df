// A line of the newest values, scaled to the largest.

const VALUES = 60;
const [WIDTH, HEIGHT] = [100, 24];

export class Chart {
  readonly #path: SVGPathElement;
  readonly #values: number[] = [];

  constructor(id: string) {
    this.#path = document.querySelector<SVGPathElement>(`#${id} path`)!;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > VALUES) this.#values.shift();
    const largest = Math.max(...this.#values, 1e-9);
    const points = this.#values.map((one, index) => {
      const x = (index + VALUES - this.#values.length) * (WIDTH / (VALUES - 1));
      const y = HEIGHT - 1 - (one / largest) * (HEIGHT - 2);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    this.#path.setAttribute('d', `M${points.join('L')}`);
  }
}
