// Makes elements.

type Child = Node | string | number | null | undefined | false;
type Properties = Readonly<Record<string, unknown>>;

/** An element with its properties (`on…` for listeners, `class`, attributes) and children. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value as EventListener);
    else if (name in element && name !== 'list') Object.assign(element, { [name]: value });
    else element.setAttribute(name === 'class' ? 'class' : name, value === true ? '' : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Puts children in the place of those that there are. */
export function fill(element: Element, ...children: readonly Child[]): void {
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  element.replaceChildren(...shown.map((child) => (typeof child === 'number' ? String(child) : child)));
}

let last = 0;

/** An id that nothing else on the page has. */
export function freshId(): string {
  return `i${++last}`;
}
