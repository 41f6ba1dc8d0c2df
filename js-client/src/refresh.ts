// Says hello again before what the client was admitted with expires.
import type { AskSystem } from './calls.js';
import { EXTENSIONS, helloOf, type Hello } from './messages.js';
import { after, now } from './timer.js';

/** Of a failed attempt, another is made when half of what is left has passed, unless that is less. */
const LEAST = 100;

export interface Refresh {
  /** The server has answered hello. */
  admitted(hello: Hello): void;
  /** There is no connection any more. */
  stop(): void;
}

export function createRefresh(secret: () => Promise<string>, ask: AskSystem, renewed: (hello: Hello) => void): Refresh {
  /** Of the present connection and hello: what began under another one is of no use any more. */
  let cancel: (() => void) | undefined;
  let expiry = 0;

  const stop = (): void => {
    cancel?.();
    cancel = undefined;
  };
  const wait = (delay: number): void => {
    const timer = after(delay, () => void again(timer));
    cancel = timer;
  };
  async function again(timer: () => void): Promise<void> {
    try {
      const given = await secret();
      // A connection that was lost meanwhile began with a secret of its own.
      if (cancel !== timer) return;
      // When the server refuses it, it ends the connection, and the next one begins with another secret.
      ask('wslink.hello', [{ secret: given, extensions: EXTENSIONS }], {}, (error, result) => {
        if (error !== undefined || cancel !== timer) return;
        const hello = helloOf(result);
        renewed(hello);
        admitted(hello);
      });
    } catch {
      const left = expiry - now();
      if (cancel === timer && left > LEAST) wait(left / 2);
    }
  }
  const admitted = ({ expiresInMs }: Hello): void => {
    stop();
    if (expiresInMs === undefined) return;
    expiry = now() + expiresInMs;
    // Whatever the server says, it is not asked without a pause.
    wait(Math.max((expiresInMs * 3) / 4, LEAST));
  };
  return { admitted, stop };
}
