// What generated clients are made of: methods and topics with their types bound to a session.
import { CallError } from './errors.js';
import type { CallOptions, SubscribeOptions } from './options.js';
import type { Kwargs, Session } from './session.js';
import type { Subscription } from './subscription.js';

/** Arguments that may be left out altogether if all of them may. */
type Leading<Arguments, Rest> = {} extends Arguments
  ? [args?: Arguments, options?: Rest]
  : [args: Arguments, options?: Rest];

/** A method. `Failure` is the union of the `data` of its own errors, told apart by `name`. */
export interface Method<Named, Positional extends readonly unknown[], Result, Failure = never> {
  /** Calls with arguments by name. */
  (...args: Leading<Named, CallOptions>): Promise<Result>;
  /** Calls with arguments by position. */
  positional(args: Positional, options?: CallOptions): Promise<Result>;
  /** Whether what a call rejected with is one of the method's own errors. */
  failed(error: unknown): error is CallError<Failure>;
}

/** What a subscription takes beside its filter. */
type Listening<Payload> = Omit<SubscribeOptions<Payload>, 'filter'>;

/** A topic: each call is a subscription. One with filter arguments takes them first. */
export type Topic<Payload, Filter = never> = [Filter] extends [never]
  ? {
      (options?: Listening<Payload>): Subscription<Payload>;
      /** @deprecated A topic without filter arguments needs no empty object. */
      (filter: Record<string, never>, options: Listening<Payload>): Subscription<Payload>;
    }
  : (...args: Leading<Filter, Listening<Payload>>) => Subscription<Payload>;

/** `failures` are the names of the method's own errors. */
export function method<Named, Positional extends readonly unknown[], Result, Failure = never>(
  session: Session,
  uri: string,
  failures: readonly string[] = [],
): Method<Named, Positional, Result, Failure> {
  const named = (args: Named = {} as Named, options?: CallOptions) =>
    session.call<Result>(uri, [], args as Kwargs, options);
  return Object.assign(named, {
    positional: (args: Positional, options?: CallOptions) => session.call<Result>(uri, args, {}, options),
    failed: (error: unknown): error is CallError<Failure> =>
      error instanceof CallError && failures.includes((error.data as { name?: string } | undefined)?.name ?? ''),
  }) as Method<Named, Positional, Result, Failure>;
}

export function topic<Payload>(session: Session, uri: string): Topic<Payload> {
  return (options?: Listening<Payload>, more?: Listening<Payload>) =>
    session.subscribe<Payload>(uri, more ?? options ?? {});
}

/** A topic with filter arguments. */
export function filteredTopic<Payload, Filter>(session: Session, uri: string): Topic<Payload, Filter> {
  const subscribe = (filter: object = {}, options?: Listening<Payload>): Subscription<Payload> =>
    session.subscribe<Payload>(uri, { ...options, filter });
  return subscribe as Topic<Payload, Filter>;
}

/** A method or topic whose URI is also the beginning of others. */
export function withMembers<Leaf extends object, Members extends object>(leaf: Leaf, members: Members): Leaf & Members {
  // Assigning would fail for `name` and `length`, which functions have.
  return Object.defineProperties(leaf, Object.getOwnPropertyDescriptors(members)) as Leaf & Members;
}
