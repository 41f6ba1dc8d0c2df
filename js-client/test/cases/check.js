// Assertions that work in node and in a page.

export function equal(actual, expected, what = 'value') {
  const [a, b] = [actual, expected].map(described);
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

export async function rejects(promise, Class, members = {}) {
  const error = await promise.then(
    (value) => {
      throw new Error(`expected ${Class.name}, got the value ${described(value)}`);
    },
    (error) => error,
  );
  if (!(error instanceof Class)) throw new Error(`expected ${Class.name}, got ${error}`);
  for (const [name, value] of Object.entries(members)) equal(error[name], value, `${Class.name}.${name}`);
  return error;
}

/** What the server's probes fill binary data with. */
export function pattern(size, seed = 0) {
  return Uint8Array.from({ length: size }, (_, i) => 31 * i + 7 * (i >> 8) + seed);
}

/** The checksum of zip and PNG. */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The next `count` values of an iterable. */
export async function take(iterable, count) {
  const values = [];
  for await (const value of iterable) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

function described(value) {
  return (
    JSON.stringify(value, (_key, member) => {
      if (member instanceof Uint8Array) return `${member.length} bytes, crc ${crc32(member)}`;
      if (typeof member === 'bigint') return `${member}n`;
      return typeof member === 'number' && !Number.isFinite(member) ? String(member) : member;
    }) ?? String(value)
  );
}
