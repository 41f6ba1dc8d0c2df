// Starts a headless Chromium with a profile of its own.
import { chromium } from 'playwright-core';
import { spawnSync } from 'node:child_process';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium() {
  const found = spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout?.trim();
  const executablePath = process.env.CHROMIUM ?? found;
  if (!executablePath) throw new Error('there is no chromium on PATH, and CHROMIUM is not set to the path of one');
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
