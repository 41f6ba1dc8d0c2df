// Documentation comments of generated code.
import type { Documented } from './document.js';

/** The lines of a TSDoc comment; none without anything to say. */
export function comment({ summary, description, deprecated }: Documented, more: readonly string[] = []): string[] {
  const paragraphs = [summary, description, ...more].filter((text): text is string => Boolean(text));
  if (deprecated) paragraphs.push('@deprecated');
  const lines = paragraphs.join('\n\n').replaceAll('*/', '*\\/').split('\n');
  if (paragraphs.length === 0) return [];
  if (lines.length === 1) return [`/** ${lines[0]} */`];
  return ['/**', ...lines.map((line) => ` * ${line}`.trimEnd()), ' */'];
}
