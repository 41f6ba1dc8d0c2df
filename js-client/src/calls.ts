// The calls of a session: those that wait to be sent and those that wait for their reply.
import { CallTimeout, ConnectionLost, errorOfReply, type WslinkError } from './errors.js';
import type { Link } from './link.js';
import { request, type Incoming } from './messages.js';
import type { CallOptions } from './options.js';
import { report } from './report.js';

/** A call on its way. */
interface Call {
  readonly id: string;
  readonly method: string;
  readonly deadline: number | undefined;
  readonly onProgress: ((progress: any) => void) | undefined;
  /** Undefined while a `Blob` is read. */
  arguments: [readonly unknown[], Readonly<Record<string, unknown>>] | undefined;
  settle(error: unknown, result?: unknown): void;
}

/** Sends a system call at once, whatever waits; its reply is heard before the message after it. */
export type AskSystem = (
  method: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  answered?: (error: unknown, result: unknown) => void,
) => void;

export class Calls {
  /** In the order of calling, which is the order of sending. */
  readonly #waiting: Call[] = [];
  readonly #sent = new Map<string, Call>();
  #link: Link | undefined;
  #extensions: ReadonlySet<string> = new Set();
  #count = 0;

  connected(link: Link, extensions: ReadonlySet<string>): void {
    this.#link = link;
    this.#extensions = extensions;
  }

  /** Sends what waits and can be sent. */
  flush(): void {
    while (this.#link && this.#waiting[0]?.arguments) this.#send(this.#waiting.shift()!);
  }

  /** Ends what was sent; what was not goes on waiting. */
  dropped(error: WslinkError): void {
    this.#link = undefined;
    const lost =
      error instanceof ConnectionLost
        ? error.afterSending()
        : new ConnectionLost(error.message, { maybeExecuted: true, cause: error });
    for (const call of [...this.#sent.values()]) call.settle(lost);
  }

  /** Ends what waits too. */
  closed(error: WslinkError): void {
    for (const call of [...this.#waiting]) call.settle(error);
  }

  call(
    method: string,
    args: readonly unknown[] | Promise<readonly unknown[]>,
    kwargs: Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>,
    { signal, timeout, onProgress }: CallOptions<any>,
    kind: 'rpc' | 'system' = 'rpc',
  ): Promise<unknown> {
    const id = `${kind}:c:${this.#count++}`;
    return new Promise((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        if (this.#sent.has(id) && this.#extensions.has('cancel')) this.system('wslink.cancel', [id], {});
        call.settle(reason);
      };
      const aborted = () => giveUp(signal?.reason);
      const expired = () => giveUp(new CallTimeout(method, this.#sent.has(id)));
      const timer = timeout ? setTimeout(expired, timeout) : undefined;
      const call: Call = {
        id,
        method,
        deadline: timeout ? Date.now() + timeout : undefined,
        onProgress,
        arguments: undefined,
        settle: (error, result) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', aborted);
          this.#sent.delete(id);
          if (error === undefined) resolve(result);
          else reject(error);
          const index = this.#waiting.indexOf(call);
          if (index < 0) return;
          this.#waiting.splice(index, 1);
          // It may have been the one that the others waited for.
          this.flush();
        },
      };
      signal?.addEventListener('abort', aborted);
      this.#waiting.push(call);
      if (args instanceof Promise || kwargs instanceof Promise) {
        Promise.all([args, kwargs]).then((read) => {
          call.arguments = read;
          this.flush();
        }, call.settle);
      } else {
        call.arguments = [args, kwargs];
        this.flush();
      }
    });
  }

  /** Only while connected; a drop answers with `ConnectionLost`. */
  readonly system: AskSystem = (method, args, kwargs, answered) => {
    const id = `system:c:${this.#count++}`;
    const settle = (error: unknown, result?: unknown) => {
      this.#sent.delete(id);
      answered?.(error, result);
    };
    this.#send({ id, method, deadline: undefined, onProgress: undefined, arguments: [args, kwargs], settle });
  };

  receive(message: Incoming): void {
    const call = this.#sent.get(message.id);
    if (!call) return;
    if ('progress' in message) report(() => call.onProgress?.(message.progress));
    else if (message.error) call.settle(errorOfReply(call.method, message.error));
    else call.settle(undefined, message.result);
  }

  #send(call: Call): void {
    const [args, kwargs] = call.arguments!;
    const message = request(call.id, call.method, args, kwargs);
    const timed = call.deadline !== undefined && this.#extensions.has('deadline');
    this.#sent.set(call.id, call);
    try {
      this.#link!.send(timed ? { ...message, timeout_ms: Math.max(1, call.deadline - Date.now()) } : message);
    } catch (error) {
      call.settle(error);
    }
  }
}
