// The list of calls on the page.

const LONGEST = 100;
const list = document.querySelector('#log');

// Adds one finished call; the newest is on top.
export function logCall({ method, args, kwargs, outcome, failed, duration }) {
  const named = Object.entries(kwargs).map(([name, value]) => `${name}=${describe(value)}`);
  const entry = document.createElement('li');
  entry.append(
    span(`${method}(${[...args.map(describe), ...named].join(', ')})`),
    span(`${failed ? '✗' : '→'} ${failed ? `${outcome.code} ${outcome.message}` : describe(outcome)}`),
    Object.assign(document.createElement('time'), { textContent: `${duration.toFixed(1)} ms` }),
  );
  entry.classList.toggle('failed', failed);
  list.prepend(entry);
  while (list.children.length > LONGEST) list.lastElementChild.remove();
}

// A value as text, with binary data and the numbers that JSON does not know.
export function describe(value) {
  if (value instanceof Blob) return `‹${value.size} bytes›`;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return `‹${value.byteLength} bytes›`;
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (value === undefined) return '–';
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' ? JSON.stringify(value) : String(value);
  return `{${Object.entries(value)
    .map(([key, part]) => `${key}: ${describe(part)}`)
    .join(', ')}}`;
}

function span(text) {
  return Object.assign(document.createElement('span'), { textContent: text });
}
