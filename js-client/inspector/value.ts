// Shows what a server sent: images as images, other binary data as hex, the rest as JSON.
import { h } from './dom.js';
import { bytes } from './format.js';

const SIGNATURES: readonly (readonly [string, string, readonly number[]])[] = [
  ['image/png', 'png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', 'jpg', [0xff, 0xd8, 0xff]],
  ['image/gif', 'gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', 'webp', [0x52, 0x49, 0x46, 0x46]],
];
/** Bytes shown of binary data that is no image. */
const SHOWN = 256;
/** Characters shown of a text. */
const LONGEST = 20_000;

/** The value, with its binary data below. Its object URLs live until `signal` aborts. */
export function view(value: unknown, signal: AbortSignal): HTMLElement {
  const found: Uint8Array[] = [];
  const text = pretty(value, found) ?? 'nothing';
  const alone = value instanceof Uint8Array;
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… ${text.length - LONGEST} more characters` : text;
  return h(
    'div',
    { class: 'value' },
    !alone && h('pre', { tabIndex: 0 }, shown),
    ...found.map((data, at) => binary(data, at + 1, signal)),
  );
}

/** The value in a line. */
export function line(value: unknown): string {
  const text = pretty(value, [], 0) ?? '';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function pretty(value: unknown, found: Uint8Array[], indent = 2): string | undefined {
  const replace = (_: string, member: unknown): unknown => {
    if (member instanceof Uint8Array) {
      found.push(member);
      return `binary ${found.length}: ${bytes(member.length)}`;
    }
    if (typeof member === 'number' && !Number.isFinite(member)) return String(member);
    return typeof member === 'bigint' ? String(member) : member;
  };
  return JSON.stringify(value, replace, indent);
}

function binary(data: Uint8Array, number: number, signal: AbortSignal): HTMLElement {
  const kind = SIGNATURES.find(([, , signature]) => signature.every((byte, at) => data[at] === byte));
  const url = URL.createObjectURL(new Blob([data as BlobPart], { type: kind?.[0] ?? 'application/octet-stream' }));
  signal.addEventListener('abort', () => URL.revokeObjectURL(url));
  const name = `binary-${number}.${kind?.[1] ?? 'bin'}`;
  return h(
    'figure',
    {},
    kind ? h('img', { src: url, alt: `Image of ${bytes(data.length)}` }) : h('pre', { tabIndex: 0 }, hex(data)),
    h(
      'figcaption',
      {},
      h('span', {}, `binary ${number}: ${bytes(data.length)}`),
      h('a', { href: url, download: name }, 'Download'),
    ),
  );
}

function hex(data: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < Math.min(data.length, SHOWN); at += 16) {
    const row = [...data.subarray(at, Math.min(at + 16, SHOWN))];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    rows.push(`${at.toString(16).padStart(6, '0')}  ${digits.padEnd(48)} ${letters}`);
  }
  if (data.length > SHOWN) rows.push(`… ${data.length - SHOWN} more bytes`);
  return rows.join('\n');
}
