// Assertions that work the same in node and in a page.

export function equal(actual, expected, what = 'value') {
  const [got, wanted] = [canonical(actual), canonical(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${got}`);
}

export function ok(condition, what) {
  if (!condition) throw new Error(what);
}

// The reason with which a promise is rejected.
export async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${canonical(value)}`);
}

// JSON with sorted keys, in which bytes and numbers that JSON does not know keep their identity.
function canonical(value) {
  return JSON.stringify(value, (_key, part) => {
    if (part === undefined) return '#undefined';
    if (typeof part === 'number' && !Number.isFinite(part)) return `#${part}`;
    if (typeof part === 'bigint') return `#${part}n`;
    if (part instanceof Uint8Array) return `#bytes ${Array.from(part.subarray(0, 64))} of ${part.length}`;
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
