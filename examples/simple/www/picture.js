// The picture on the page and the stream that changes it.

const picture = document.querySelector('#picture');
const frames = document.querySelector('#frames');
const toggle = document.querySelector('#toggle');

export function show(bytes, description) {
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(new Blob([bytes], { type: 'image/png' }));
  picture.alt = description;
  picture.hidden = false;
  document.querySelector('#no-picture').hidden = true;
}

export class Stream {
  #running = null;

  // Starts when stopped and stops when running.
  async toggle(session, methods, topic) {
    if (this.#running) {
      const { topic: current } = this.#running;
      this.reset();
      await methods.stop({ topic: current });
    } else {
      this.#begin(session, topic);
      try {
        await methods.stream({ topic });
      } catch (error) {
        this.reset();
        throw error;
      }
    }
  }

  // Forgets the stream, as when its connection is gone.
  reset() {
    if (!this.#running) return;
    const { subscription, count } = this.#running;
    subscription.unsubscribe();
    this.#running = null;
    toggle.textContent = 'Start stream';
    frames.textContent = `The stream is stopped after ${count} frames.`;
  }

  #begin(session, topic) {
    const running = { topic, count: 0, last: null };
    running.subscription = session.subscribe(topic, ([frame]) => {
      const now = performance.now();
      const interval = running.last === null ? '' : `, ${Math.round(now - running.last)} ms after the one before`;
      running.last = now;
      running.count += 1;
      show(frame.blob, `Frame ${running.count} of the stream`);
      frames.textContent = `Frame ${running.count}${interval}.`;
    });
    this.#running = running;
    toggle.textContent = 'Stop stream';
    frames.textContent = 'Waiting for the first frame.';
  }
}
