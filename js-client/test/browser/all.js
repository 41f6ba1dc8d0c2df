// Runs every case in a browser that no test drives, and reports each to the site.
import { CASES, run } from '../cases/index.js';
import { replayCase, titles } from '../conformance/recorded.js';

async function report(title, outcome) {
  const error = await outcome.then(
    () => undefined,
    (reason) => `${reason}\n${reason?.stack}`,
  );
  await fetch('report', { method: 'POST', body: JSON.stringify({ title, error }) });
}

for (const [url, wire] of JSON.parse(new URLSearchParams(location.search).get('servers'))) {
  for (const title of titles(wire)) await report(`${wire} conformance ${title}`, replayCase(wire, title));
  for (const title of Object.keys(CASES)) await report(`${wire} ${title}`, run(title, { url, wire }));
}
