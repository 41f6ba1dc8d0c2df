// The page of the `simple` example: every control makes one call, through the generated client over ours or the stock one.
import { Connection } from './connection.js';
import { describe, logCall } from './log.js';
import { Stream, show } from './picture.js';
import { api } from './vendor/client.js';

const element = (id) => document.querySelector(`#${id}`);
const stream = new Stream();
const client = new URLSearchParams(window.location.search).get('client') === 'stock' ? 'stock' : 'ours';
const connection = new Connection(client, showState);
// The generated client needs no more of a session than this, so it works over the stock one too.
const { myprotocol } = api({ call });

function showState({ state, label, detail }) {
  const status = element('state');
  status.dataset.state = state;
  status.querySelector('strong').textContent = label;
  status.querySelector('span').textContent = detail;
  document.querySelectorAll('[data-online]').forEach((control) => {
    control.disabled = state !== 'connected';
  });
  if (state !== 'connected') stream.reset();
}

// Calls a method, logs the outcome, and shows an error before passing it on.
async function call(method, args = [], kwargs = {}) {
  const start = performance.now();
  const finish = (outcome, failed) =>
    logCall({ method, args, kwargs, outcome, failed, duration: performance.now() - start });
  try {
    const result = await connection.session.call(method, args, kwargs);
    finish(result, false);
    return result;
  } catch (error) {
    finish(error, true);
    showError(error);
    throw error;
  }
}

function showError({ code, message, data }) {
  const lines = (value) =>
    Object.entries(value)
      .map(([name, part]) => `${name}: ${plain(part)}`)
      .join('\n');
  const texts = { code, message, data: data instanceof Object ? lines(data) : plain(data) };
  for (const [part, text] of Object.entries(texts)) {
    element('error').querySelector(`[data-part=${part}]`).textContent = text;
  }
}

const plain = (value) => (typeof value === 'string' ? value : describe(value));

// Runs an action at an event; a refused call has been shown already.
function on(id, event, action) {
  element(id).addEventListener(event, async (happening) => {
    happening.preventDefault();
    try {
      await action(happening);
    } catch (error) {
      if (!('code' in error)) throw error;
    }
  });
}

function numbers() {
  const input = element('numbers');
  const values = input.value
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);
  input.setCustomValidity(values.some(Number.isNaN) ? 'Only numbers, separated by commas' : '');
  return input.reportValidity() ? values : null;
}

on('calculate', 'submit', async ({ submitter }) => {
  const values = numbers();
  if (values) element('result').value = describe(await myprotocol[submitter.value]({ numbers: values }));
});
on('numbers', 'input', () => element('numbers').setCustomValidity(''));
on('special', 'click', async () => {
  element('result').value = describe(await myprotocol.special.positional([[]]));
});

on('image', 'click', async () => show((await myprotocol.image()).blob, 'The image of the example'));
on('alternative', 'click', async () =>
  show((await myprotocol.image({ alt: true })).blob, 'The alternative image of the example'),
);
on('stream', 'submit', () => stream.toggle(connection.session, myprotocol, element('topic').value));

on('upload', 'submit', async () => {
  const bytes = await element('file').files[0].arrayBuffer();
  element('received').value = await myprotocol.postbinary({ data: connection.session.addAttachment(bytes) });
});

// No generated client lets these through.
on('unknown', 'click', () => call('myprotocol.mistake.typo', ['ignored']));
on('invalid', 'click', () => call('myprotocol.stream', [], { topik: 'a misspelt name' }));

on('reconnect', 'click', () => connection.open());

document.querySelector(`[data-client=${client}]`).setAttribute('aria-current', 'page');
connection.open();
