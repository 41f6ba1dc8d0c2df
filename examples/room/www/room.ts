// The page of the `room` example, on the generated client: `cargo xtask demo room` bundles it into `vendor/room.js`.
import { connect } from 'wslink-client';
import { type Line, type PresenceChange, type PresenceEntry, api } from './api.js';

const session = connect('ws');
const { room } = api(session);

const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const enter = find<HTMLFormElement>('enter');
const say = find<HTMLFormElement>('say');
const lines = find<HTMLOListElement>('lines');
const text = find<HTMLInputElement>('text');

const people = new Map<string, PresenceEntry>();
let name: string | undefined;

session.onStateChange(({ status }) => {
  const state = find('state');
  state.dataset['status'] = status;
  state.textContent = status === 'connected' ? 'Connected' : status === 'closed' ? 'Closed' : 'Connecting…';
  // A client that could not resume is a new one, whose name nobody knows.
  if (status === 'connected' && name) void introduce(name);
});

enter.addEventListener('submit', (event) => {
  event.preventDefault();
  void introduce(String(new FormData(enter).get('name')));
});

async function introduce(wanted: string): Promise<void> {
  const said = await attempt(() => room.enter({ name: wanted }));
  if (!said) return;
  name = wanted.trim();
  lines.replaceChildren();
  said.forEach(show);
  enter.hidden = true;
  say.hidden = false;
  text.focus();
}

say.addEventListener('submit', (event) => {
  event.preventDefault();
  const message = text.value;
  say.reset();
  tell(false);
  void attempt(() => room.say({ text: message }));
});

// One call at the beginning of typing and one at its end, whatever the number of keys.
let isTyping = false;
let rest: ReturnType<typeof setTimeout> | undefined;
text.addEventListener('input', () => {
  clearTimeout(rest);
  rest = setTimeout(() => tell(false), 3000);
  tell(text.value !== '');
});

function tell(typing: boolean): void {
  if (typing === isTyping) return;
  isTyping = typing;
  void attempt(() => room.type({ is_typing: typing }));
}

async function attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
  const problem = find('problem');
  try {
    const result = await call();
    problem.textContent = '';
    return result;
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}

function show({ from, name: author, text: said, at }: Line): void {
  const line = document.createElement('li');
  line.classList.toggle('mine', author === name && from === session.clientId);
  const head = document.createElement('p');
  head.className = 'faint';
  const time = document.createElement('time');
  const date = new Date(Number(at));
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  head.append(author, ' ', time);
  const body = document.createElement('p');
  body.textContent = said;
  line.append(head, body);
  lines.append(line);
  lines.scrollTop = lines.scrollHeight;
}

function change(what: PresenceChange): void {
  if (what.kind === 'list') people.clear();
  const entries = what.kind === 'list' ? what.entries : what.kind === 'left' ? [] : [what.entry];
  for (const entry of entries) people.set(entry.id, entry);
  if (what.kind === 'left') people.delete(what.id);
  const all = [...people.values()];
  find('count').textContent = String(all.length);
  find('people').replaceChildren(...all.map(({ id, data }) => person(data.name, id === session.clientId)));
  const typing = all.filter(({ id, data }) => data.is_typing && id !== session.clientId).map(({ data }) => data.name);
  find('typing').textContent = typing.length ? `${typing.join(', ')} ${typing.length > 1 ? 'are' : 'is'} typing…` : '';
}

function person(called: string, isMe: boolean): HTMLLIElement {
  const item = document.createElement('li');
  item.textContent = `${called || 'somebody who watches'}${isMe ? ' (you)' : ''}`;
  item.classList.toggle('faint', !called);
  return item;
}

void (async () => {
  for await (const line of room.said()) show(line);
})();
for await (const what of room.people()) change(what);
