// Texts that break a generator which trusts them: code, reserved words, foreign scripts.

/** Each would run, or break the module, wherever it got out of its literal or comment. */
export const CODE = [
  '*/ globalThis.HARMED = 1; /*',
  "'; globalThis.HARMED = 1; '",
  '"; globalThis.HARMED = 1; "',
  '`; globalThis.HARMED = 1; `${globalThis.HARMED = 1}',
  'a\nglobalThis.HARMED = 1;\n',
  'a\rglobalThis.HARMED = 1;\r',
  'a\u2028globalThis.HARMED = 1;\u2029globalThis.HARMED = 1;',
  '\\',
  "\\'; globalThis.HARMED = 1; //",
  '*\\/ globalThis.HARMED = 1',
  '\u202e \u2066 \0 \x1b[31m \ud800',
  '] = 1; globalThis.HARMED = 1; var [a',
  '});} globalThis.HARMED = 1; {({',
  '<script>globalThis.HARMED = 1</script>',
  '// @ts-nocheck',
  '/// <reference path="/etc/passwd" />',
];
const NAMES = (
  'abstract any arguments as asserts async await bigint boolean break case catch class const constructor continue ' +
  'debugger declare default delete do else enum eval export extends false finally for from function get if implements ' +
  'import in infer instanceof interface is keyof let module namespace never new null number object of out override ' +
  'package private protected public readonly require return satisfies set static string super switch symbol this ' +
  'throw true try type typeof undefined unique unknown using var void while with yield ' +
  'Record ReturnType Promise Uint8Array Array Object String Symbol Session Api api method topic withMembers ' +
  'filteredTopic Method Topic globalThis __proto__ prototype toString hasOwnProperty valueOf then name length call ' +
  'apply bind caller positional failed $ _ $a a$ a-b a.b a_b aB A_B 1 1a 0x1 NaN Infinity -0'
).split(' ');
const SCRIPTS = [
  '日本',
  'Ελλάδα',
  'россия',
  'العربية',
  'עברית',
  'हिन्दी',
  '한국어',
  'ไทย',
  '𠮷野',
  '𝒳',
  '🦀',
  'é',
  'e\u0301',
  'ß',
  'ŉ',
  'Ⅷ',
  '²',
  '\ua7d0',
  '‿',
  '·a',
  '\u200d',
  ' ',
  '',
  '  a  b ',
  'ǆ',
  'İ',
];
/** All of them. */
export const EVERY = [...NAMES, ...SCRIPTS, ...CODE];
