// JSON with what JSON does not have: `NaN` and `Infinity` as bare words, and integers of any size, which become bigints.

type Replace = (value: unknown) => unknown;

// No text that somebody means to send begins with this.
const MARK = `wslink-${Math.random().toString().slice(2)}-`;
const MARKED = new RegExp(`"${MARK}([^"]*)"`, 'g');
/** Text without one of these is read as it is. */
const SPECIAL = /\d{16}|NaN|Infinity/;
const TOKENS = /-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const INTEGER = /^-?\d{16,1000}$/;

/** `replace` sees every value from the outside in. */
export function stringify(value: unknown, replace: Replace): string {
  let marked = false;
  const text = JSON.stringify(value, (_key, given: unknown) => {
    const member = replace(given);
    const special = specialText(member);
    marked ||= special !== undefined;
    return special === undefined ? member : MARK + special;
  });
  return marked ? text.replace(MARKED, '$1') : text;
}

/** The text of a number that `JSON.stringify` would not write, or not exactly. */
function specialText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'number' || (Number.isSafeInteger(value) && !Object.is(value, -0))) return undefined;
  if (value === 0) return '-0.0';
  if (!Number.isFinite(value)) return String(value);
  if (!Number.isInteger(value)) return undefined;
  // Its shortest digits would be another integer; without a decimal point it would not be read as a float.
  return value < 2 ** 64 && value >= -(2 ** 63) ? String(BigInt(value)) : value.toExponential();
}

/** `replace`, if given, sees every value from the inside out. */
export function parse(text: string, replace?: Replace): unknown {
  const special = SPECIAL.test(text);
  if (!special && !replace) return JSON.parse(text);
  return JSON.parse(special ? plain(text) : text, (_key, value: unknown) => {
    if (special && typeof value === 'string' && value.startsWith(MARK)) return specialValue(value.slice(MARK.length));
    return replace ? replace(value) : value;
  });
}

/** The same text with special numbers as marked texts. Strings are passed over in one go, however long they are. */
function plain(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const start = quote < 0 ? text.length : quote;
    parts.push(text.slice(at, start).replace(TOKENS, markedToken));
    at = endOfString(text, start);
    parts.push(text.slice(start, at));
  }
  return parts.join('');
}

function markedToken(token: string): string {
  const special = INTEGER.test(token) ? !Number.isSafeInteger(Number(token)) : /[Ny]$/.test(token);
  return special ? `"${MARK}${token}"` : token;
}

function specialValue(token: string): number | bigint {
  return INTEGER.test(token) ? BigInt(token) : Number(token);
}

/** Behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let backslash = quote;
    while (text[backslash - 1] === '\\') backslash -= 1;
    if ((quote - backslash) % 2 === 0) return quote + 1;
  }
  return text.length;
}
