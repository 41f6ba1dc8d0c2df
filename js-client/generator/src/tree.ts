// Nested objects by URI: `a.b.c` becomes member `c` of member `b` of member `a`.
import { memberName } from './names.js';
import type { Stub } from './stubs.js';

interface Node {
  stub?: Stub;
  readonly members: Map<string, Node>;
}

/** What a method has by itself; a method below it of such a name gets another one. */
const OWN = new Set(['positional', 'failed']);

/** The lines of the object literal of all stubs; of several methods of one name the first. */
export function objectLiteral(stubs: readonly Stub[]): string[] {
  const root: Node = { members: new Map() };
  for (const stub of stubs) {
    const node = stub.uri.split('.').reduce(member, root);
    if (node.stub && node.stub.maker !== stub.maker)
      throw new Error(`${stub.uri} is a ${node.stub.maker} and a ${stub.maker}; one of them needs another name`);
    node.stub ??= stub;
  }
  return literal(root);
}

/** Whether some stub's URI is the beginning of another's. */
export function isNested(stubs: readonly Stub[]): boolean {
  const beginnings = new Set(
    stubs.flatMap(({ uri }) => Array.from(uri.matchAll(/\./g), ({ index }) => uri.slice(0, index))),
  );
  return stubs.some(({ uri }) => beginnings.has(uri));
}

function member(node: Node, segment: string): Node {
  const found = node.members.get(segment) ?? { members: new Map<string, Node>() };
  node.members.set(segment, found);
  return found;
}

function literal({ members, stub }: Node): string[] {
  const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
  const name = (segment: string): string => {
    if (!stub || !OWN.has(segment)) return segment;
    let free = `${segment}_`;
    while (members.has(free)) free += '_';
    return free;
  };
  const lines = sorted.flatMap(([segment, node]) => property(name(segment), node));
  return ['{', ...lines.map((line) => `  ${line}`.trimEnd()), '}'];
}

function property(segment: string, node: Node): string[] {
  const [first, ...rest] = value(node);
  const lines = [`${memberName(segment)}: ${first}`, ...rest];
  return [...(node.stub?.comment ?? []), ...lines.slice(0, -1), `${lines.at(-1)},`];
}

function value(node: Node): string[] {
  if (!node.stub) return literal(node);
  const { expression } = node.stub;
  if (node.members.size === 0) return [...expression];
  const [first, ...rest] = literal(node);
  const leaf = [`withMembers(${expression[0]}`, ...expression.slice(1)];
  return [...leaf.slice(0, -1), `${leaf.at(-1)}, ${first}`, ...rest.slice(0, -1), `${rest.at(-1)})`];
}
