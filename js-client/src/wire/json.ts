// JSON with `NaN`, `Infinity` and `-Infinity` as bare words, as Python writes and reads it.

type Replace = (value: unknown) => unknown;

// No text that somebody means to send begins with this.
const MARK = `wslink-nan-${Math.random()}-`;
const MARKED = new RegExp(`"${MARK}(.*?)"`, 'g');
const WORDS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/** `replace` sees every value from the outside in. */
export function stringify(value: unknown, replace: Replace): string {
  let marked = false;
  const text = JSON.stringify(value, (_key, given: unknown) => {
    const member = replace(given);
    if (typeof member !== 'number' || Number.isFinite(member)) return member;
    marked = true;
    return `${MARK}${member}`;
  });
  return marked ? text.replace(MARKED, '$1') : text;
}

/** `replace`, if given, sees every value from the inside out. */
export function parse(text: string, replace?: Replace): unknown {
  try {
    return JSON.parse(text, replace && ((_key, value: unknown) => replace(value)));
  } catch (error) {
    const plain = text.replace(WORDS, plainWord);
    if (plain === text) throw error;
    return JSON.parse(plain, (_key, value: unknown) => (value === MARK ? NaN : replace ? replace(value) : value));
  }
}

function plainWord(word: string): string {
  if (word === 'NaN') return `"${MARK}"`;
  // A number too large for a double reads as infinity.
  return word.endsWith('Infinity') ? word.replace('Infinity', '1e999') : word;
}
