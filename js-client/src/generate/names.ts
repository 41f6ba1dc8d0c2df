// From URIs and the names of schemas to identifiers of TypeScript.

/** `myapp.render-window.image` → `MyappRenderWindowImage`. */
export function typeName(text: string): string {
  const words = text.split(/[^\p{L}\p{N}$]+/u).filter((word) => word !== '');
  const name = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  return /^\p{N}/u.test(name) || name === '' ? `_${name}` : name;
}

/** A member of an object literal or an interface. */
export function memberName(text: string): string {
  if (text === '__proto__') return "['__proto__']";
  return /^[\p{L}$_][\p{L}\p{N}$_]*$/u.test(text) ? text : quoted(text);
}

/** The label of a member of a tuple, which has to be an identifier. */
export function labelName(text: string): string {
  return text.replace(/[^\p{L}\p{N}$_]/gu, '_').replace(/^\p{N}/u, '_$&');
}

export function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
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
