// What the `chat` example answers.
import { equal, ok } from './check.js';

const CHANNEL = 'wslink.communication.channel';
const LINES = ['Nice to meet you', "What's your name?", 'Mine is wslink.py'];

export const chat = {
  'says hello to everyone': async ({ connect, protocol }) => {
    const [speaker, listener] = [await connect(), await connect()];
    const answer = `py server: hello from ${protocol}`;
    const heard = [speaker, listener].map((client) => hears(client, answer));
    equal(await speaker.call('wslink.say.hello', [`hello from ${protocol}`]), answer);
    await Promise.all(heard);
  },

  'talks to every subscriber': async ({ connect }) => {
    const [caller, listener] = [await connect(), await connect()];
    equal(await caller.call('wslink.stop.talking'), null);
    // What was said before has come when a reply has: else one client may count it, and the other not.
    await Promise.all([caller, listener].map((client) => client.call('wslink.stop.talking')));
    const heard = [caller, listener].map((client) => client.collect(CHANNEL, 1));
    equal(await caller.call('wslink.start.talking'), null);
    const [[line], [same]] = await Promise.all(heard);
    ok(LINES.includes(line), `unexpected line ${line}`);
    equal(same, line);
    equal(await caller.call('wslink.stop.talking'), null);
  },
};

// The example may be talking at the same time, so other lines are passed over.
function hears(client, wanted) {
  return new Promise((resolve) => {
    client.session.subscribe(CHANNEL, ([line]) => line === wanted && resolve());
  });
}
