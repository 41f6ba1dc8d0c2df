// The secret: from the address, from this tab's memory, or asked for. Never left in the address.
import { h } from './dom.js';

const KEY = `wslink inspector ${location.pathname}`;

/** The secret that is known. Takes it out of the address, so that no history and no screenshot has it. */
export function knownSecret(): string | undefined {
  const url = new URL(location.href);
  const given = url.searchParams.get('secret');
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    url.searchParams.delete('secret');
    history.replaceState(null, '', url);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function keep(secret: string): void {
  sessionStorage.setItem(KEY, secret);
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
}

/** Asks for the secret, and why it is asked for again. */
export function door(refused: boolean, enter: (secret: string) => void): HTMLElement {
  const input = h('input', { type: 'password', id: 'secret', autocomplete: 'off', required: true, autofocus: true });
  const submit = (event: Event): void => {
    event.preventDefault();
    enter(input.value);
  };
  return h(
    'main',
    { class: 'door' },
    h(
      'form',
      { onsubmit: submit },
      h('h1', {}, 'wslink inspector'),
      refused && h('p', { class: 'failure', role: 'alert' }, 'The server refused this secret.'),
      h('label', { htmlFor: 'secret' }, 'Secret of the server'),
      input,
      h('button', { type: 'submit', class: 'strong' }, 'Connect'),
      h('p', { class: 'note' }, 'The server prints it when it starts, unless it was given one.'),
    ),
  );
}
