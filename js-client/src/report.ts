// Keeps what users pass in from disturbing a session: their exceptions are reported, nothing else stops.

/** What an error was met with. */
export interface ErrorContext {
  /** The topic, for an event. */
  readonly topic?: string | undefined;
  /** The method, for a call. */
  readonly method?: string | undefined;
}

export type Report = (error: unknown, context?: ErrorContext) => void;

export function reporter(onError: ((error: unknown, context: ErrorContext) => void) | undefined): Report {
  return (error, context = {}) => {
    try {
      if (onError) return onError(error, context);
    } catch (second) {
      error = second;
    }
    console.error(error);
  };
}

/** Runs `callback`; also the rejection of one that is asynchronous is reported. */
export function guarded(report: Report, context: ErrorContext, callback: () => unknown): void {
  try {
    const result = callback();
    if (result instanceof Promise) result.catch((error: unknown) => report(error, context));
  } catch (error) {
    report(error, context);
  }
}
