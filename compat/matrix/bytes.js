// Binary values as the two protocols deliver them, and the byte pattern of the probe server.

export const MEBIBYTE = 1024 * 1024;

// Replaces every binary value in a result by a Uint8Array: v1 delivers Blobs, v2 typed arrays.
export async function withBytes(value) {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Blob) return new Uint8Array(await value.arrayBuffer());
  if (Array.isArray(value)) return Promise.all(value.map(withBytes));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(async ([key, part]) => [key, await withBytes(part)]);
  return Object.fromEntries(await Promise.all(entries));
}

// What `kit.blob(size, seed)` answers.
export function pattern(size, seed = 0) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 1) bytes[i] = i * 31 + (i >> 8) * 7 + seed;
  return bytes;
}

export function isPng(bytes) {
  return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
