// Documentation comments of generated code.
import type { Documented } from './document.js';
import { visible } from './names.js';

/** The lines of a TSDoc comment; none without anything to say. No text can end the comment. */
export function comment({ summary, description, deprecated }: Documented, more: readonly string[] = []): string[] {
  const paragraphs = [summary, description, ...more].filter(
    (text) => typeof text === 'string' && text !== '',
  ) as string[];
  if (deprecated === true) paragraphs.push('@deprecated');
  if (paragraphs.length === 0) return [];
  const lines = visible(paragraphs.join('\n\n')).replaceAll('*/', '*\\/').split('\n');
  if (lines.length === 1) return [`/** ${lines[0]} */`];
  return ['/**', ...lines.map((line) => ` * ${line}`.trimEnd()), ' */'];
}
