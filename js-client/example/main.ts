// The page of the chat example, on a generated client.
import { connect } from 'wslink-client';
import { api } from './api.js';

const session = connect('ws');
const { say, start, stop, communication } = api(session).wslink;

const state = document.querySelector<HTMLOutputElement>('#state')!;
const lines = document.querySelector<HTMLUListElement>('#lines')!;
const form = document.querySelector('form')!;
const talk = document.querySelector<HTMLButtonElement>('#talk')!;

session.onStateChange(({ status }) => {
  state.value = status;
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const message = String(new FormData(form).get('message'));
  form.reset();
  say.hello({ message }, { timeout: 10_000 }).catch((error: Error) => show(error.message));
});

talk.addEventListener('click', () => {
  const talks = talk.getAttribute('aria-pressed') !== 'true';
  talk.setAttribute('aria-pressed', String(talks));
  (talks ? start : stop).talking().catch((error: Error) => show(error.message));
});

for await (const line of communication.channel()) show(line);

function show(line: string): void {
  const item = document.createElement('li');
  item.textContent = line;
  lines.prepend(item);
}
