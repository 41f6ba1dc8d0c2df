// The page: how the machines are, one of them closely, and what happens to them.
import { connect } from 'wslink-client';
import { Trace } from './trace.js';

const $ = (id) => document.getElementById(id);
const session = connect('ws', {
  reconnect: { initialDelay: 100, maxDelay: 2000 },
});

// The state of the connection.

let resumes = 0;

session.onStateChange((state) => {
  const said = {
    connecting: 'Connecting…',
    connected: 'Connected',
    waiting: `Reconnecting… (${state.attempt})`,
    closed: `Closed: ${state.error?.message}`,
  };
  const element = $('state');
  element.dataset.status = state.status;
  element.textContent = said[state.status];
  if (state.status === 'connected' && state.resumed) {
    resumes += 1;
    $('continuity').textContent = `resumed ${resumes === 1 ? 'once' : `${resumes} times`}`;
    $('continuity').hidden = false;
  }
});

// How the machines are: of each, the newest.

const cards = new Map();

session.subscribe('dashboard.now', { onEvent: show });

function show({ machine, load, temperature }) {
  const card = cards.get(machine) ?? addCard(machine);
  card.querySelector('.load').textContent = `${Math.round(load * 100)} %`;
  card.querySelector('.temperature').textContent = `${temperature.toFixed(1)} °C`;
  card.querySelector('meter').value = load;
}

function addCard(machine) {
  const card = document.createElement('button');
  card.type = 'button';
  card.className = 'machine';
  card.setAttribute('aria-pressed', 'false');
  card.innerHTML =
    '<strong></strong><span></span><span class="load"></span><span class="temperature"></span>' +
    '<meter min="0" max="1" low="0.6" high="0.8" optimum="0.2"></meter>';
  card.querySelector('strong').textContent = machine;
  card.addEventListener('click', () => choose(machine));
  cards.set(machine, card);
  $('machines').append(card);
  if (cards.size === 1) choose(machine);
  return card;
}

// One of them closely: a stream that the server makes for this page alone.

const trace = new Trace($('trace'));
let chosen;
let close;

function choose(machine) {
  void close?.unsubscribe();
  chosen = machine;
  for (const [name, card] of cards) card.setAttribute('aria-pressed', String(name === machine));
  $('chosen').textContent = machine;
  $('diagnose').disabled = false;
  trace.clear();
  close = session.subscribe('dashboard.close', {
    filter: { machine, every_ms: 50 },
    onEvent: (sample) => trace.add(sample),
    onGap: () => trace.clear(),
  });
}

// A call that takes a while: it reports, and can be given up.

let diagnosis;

$('diagnose').addEventListener('click', async () => {
  diagnosis = new AbortController();
  working(true);
  try {
    const options = { signal: diagnosis.signal, onProgress: (done) => ($('progress').value = done) };
    const { machine, verdict } = await session.call('dashboard.diagnose', [chosen], {}, options);
    $('verdict').textContent = `${machine} ${verdict}`;
  } catch (error) {
    $('verdict').textContent = error.name === 'AbortError' ? 'given up' : error.message;
  }
  working(false);
});
$('cancel').addEventListener('click', () => diagnosis.abort());

function working(begun) {
  $('progress').value = 0;
  $('progress').hidden = $('cancel').hidden = !begun;
  $('diagnose').disabled = begun;
  if (begun) $('verdict').textContent = '';
}

// What happens: nothing of it is missed, and if it were, the page would say so.

const KEPT = 200;

session.subscribe('dashboard.log', {
  onEvent: ({ number, machine, text }) => log(number, `${machine} ${text}`),
  onGap: (missed) =>
    log('', missed === undefined ? 'the server has started anew' : `${missed} entries are missing`, 'gap'),
});

function log(number, text, kind = 'entry') {
  const line = document.createElement('li');
  line.className = kind;
  line.dataset.number = number;
  line.append(span('number', number), span('text', text));
  const list = $('log');
  list.prepend(line);
  while (list.children.length > KEPT) list.lastChild.remove();
}

function span(kind, text) {
  const element = document.createElement('span');
  element.className = kind;
  element.textContent = text;
  return element;
}
