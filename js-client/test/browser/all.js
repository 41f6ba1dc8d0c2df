// Runs every case in a browser that no test drives, and reports each to the site.
import { CASES, run } from '../cases/index.js';

for (const [url, wire] of JSON.parse(new URLSearchParams(location.search).get('servers'))) {
  for (const title of Object.keys(CASES)) {
    const error = await run(title, { url, wire }).then(
      () => undefined,
      (reason) => `${reason}\n${reason?.stack}`,
    );
    await fetch('report', { method: 'POST', body: JSON.stringify({ title: `${wire} ${title}`, error }) });
  }
}
