// Draws the load of one machine over the last seconds.
const SECONDS = 10;

export class Trace {
  #canvas;
  #samples = [];
  #drawing = false;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  clear() {
    this.#samples = [];
    this.#draw();
  }

  add(sample) {
    this.#samples.push(sample);
    while (this.#samples[0].at < sample.at - SECONDS) this.#samples.shift();
    this.#draw();
  }

  /** Once per picture of the screen, however many samples came. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#paint();
    });
  }

  #paint() {
    const canvas = this.#canvas;
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    const context = canvas.getContext('2d');
    context.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name);

    context.strokeStyle = color('--line');
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const y = Math.min(height - 0.5, Math.round(part * height) + 0.5);
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(width, y);
      context.stroke();
    }

    const last = this.#samples.at(-1);
    canvas.dataset.samples = this.#samples.length;
    if (!last) return;
    const x = ({ at }) => width - ((last.at - at) / SECONDS) * width;
    const y = ({ load }) => (1 - load) * height;
    context.beginPath();
    this.#samples.forEach((sample) => context.lineTo(x(sample), y(sample)));
    context.strokeStyle = color('--accent');
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.stroke();
    context.lineTo(width, height);
    context.lineTo(x(this.#samples[0]), height);
    context.globalAlpha = 0.12;
    context.fillStyle = color('--accent');
    context.fill();
  }
}
