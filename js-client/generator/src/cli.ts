#!/usr/bin/env node
// The command line: `wslink-generate SOURCE -o FILE`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { generate, load } from './index.js';

const USAGE = `Generates a typed client from the manifest of a wslink server.

    wslink-generate SOURCE [-o FILE] [--watch] [--secret SECRET]

SOURCE is a file, the http address of a manifest or of its server, or the ws address of a server.
    -o, --output FILE    where the client goes, instead of standard output; folders are made
    --watch              looks every second whether the manifest has changed
    --secret SECRET      what a ws server asks for
`;
const OPTIONS = {
  output: { type: 'string', short: 'o' },
  watch: { type: 'boolean', default: false },
  secret: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
const PERIOD = 1000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [source, ...surplus] = positionals;
  if (values.help) process.stdout.write(USAGE);
  else if (source === undefined || surplus.length > 0) throw new Error(USAGE);
  else if (values.watch) await watch(source, values.secret, values.output);
  else await write(await text(source, values.secret), values.output);
}

/** Never ends; what fails is told once and tried again. */
async function watch(source: string, secret: string | undefined, output: string | undefined): Promise<never> {
  let last = '';
  for (;;) {
    const outcome = await text(source, secret).then(
      (generated) => ({ generated, told: `${source} was read and the client written` }),
      (error: unknown) => ({ generated: undefined, told: messageOf(error) }),
    );
    const current = outcome.generated ?? outcome.told;
    if (current !== last) {
      if (outcome.generated !== undefined) await write(outcome.generated, output);
      process.stderr.write(`${outcome.told}\n`);
    }
    last = current;
    await sleep(PERIOD);
  }
}

async function text(source: string, secret: string | undefined): Promise<string> {
  return generate(await load(source, secret));
}

/** A file that is the same already is left alone, so that nothing is built anew because of it. */
async function write(generated: string, output: string | undefined): Promise<void> {
  if (output === undefined) process.stdout.write(generated);
  else if ((await readFile(output, 'utf8').catch(() => undefined)) !== generated) {
    await mkdir(dirname(output), { recursive: true });
    await writeFile(output, generated);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
