// All cases, and how to run one: each gets a session of its own that is closed afterwards.
import { connect, v1, v2 } from 'wslink-client';
import { calls } from './calls.js';
import { events } from './events.js';
import { values } from './values.js';

export const CASES = { ...calls, ...values, ...events };
export const WIRES = { v1, v2 };

export async function run(title, { url, wire, ...options }) {
  const opened = [];
  const open = ({ at = url, ...more } = {}) => {
    const session = connect(at, { wire: WIRES[wire], ...options, ...more });
    opened.push(session);
    return session;
  };
  try {
    await CASES[title]({ session: open(), open });
  } finally {
    for (const session of opened) await session.close();
  }
}
