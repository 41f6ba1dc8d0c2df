// From texts of a manifest, which may be any, to names and literals of TypeScript.

/** Words that no name may be, whatever the mode of the compiler. */
const RESERVED = new Set(
  (
    'any arguments as async await bigint boolean break case catch class const continue debugger default delete do else ' +
    'enum eval export extends false finally for function if implements import in instanceof interface let never new ' +
    'null number object of package private protected public return static string super switch symbol this throw true ' +
    'try type typeof undefined unknown var void while with yield'
  ).split(' '),
);

/** Letters that every supported compiler takes in a name; others are spelled by their code. */
const LETTERS =
  /[A-Za-z0-9$\u00c0-\u02af\u0370-\u04ff\u0531-\u0587\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]/;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Characters that would show code or text in another order than it has, or not at all. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/** `myapp.render-window.image` → `MyappRenderWindowImage`. */
export function typeName(text: string): string {
  const words = spelled(text, ' ').split(/[ _]+/);
  const name = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
  return /^[0-9]|^$/.test(name) || RESERVED.has(name) ? `_${name}` : name;
}

/** A member of an object literal or an interface. */
export function memberName(text: string): string {
  if (text === '__proto__') return "['__proto__']";
  return IDENTIFIER.test(text) ? text : quoted(text);
}

/** The label of a member of a tuple. */
export function labelName(text: string): string {
  const label = spelled(text, '_');
  return /^[0-9]|^$/.test(label) || RESERVED.has(label) ? `${label}_`.replace(/^[0-9]|^_$/, '_$&') : label;
}

/** A literal of a text, on one line and in visible characters. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped.replace(INVISIBLE, codes)}'`;
}

/** Text for a comment of several lines. */
export function visible(text: string): string {
  return text
    .replace(/\r\n?|\p{Zl}|\p{Zp}/gu, '\n')
    .replace(INVISIBLE, (one) => (one === '\n' || one === '\t' ? one : ''));
}

/** Text for a comment of one line. */
export function oneLine(text: string): string {
  return visible(text).replace(/\s+/g, ' ').trim();
}

/** Only letters and digits, with `between` for what separates words. */
function spelled(text: string, between: string): string {
  return Array.from(text, (character) => {
    if (LETTERS.test(character) && character.length === 1) return character;
    if (!/[\p{L}\p{N}\p{M}]/u.test(character)) return between;
    return `u${character.codePointAt(0)!.toString(16)}`;
  }).join('');
}

function codes(text: string): string {
  return Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
    '',
  );
}

/** Hands out names, each once. */
export class Names {
  readonly #taken: Set<string>;

  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  take(wanted: string): string {
    let name = wanted;
    for (let n = 2; this.#taken.has(name); n += 1) name = `${wanted}${n}`;
    this.#taken.add(name);
    return name;
  }
}
