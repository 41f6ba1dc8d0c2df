// Hears when a page is looked at again, or has a network again.

/** Calls `wake` on each such event, until the function that is returned is called. Does nothing outside of pages. */
export function onWake(wake: () => void): () => void {
  const page = globalThis.document as Document | undefined;
  const aborter = new AbortController();
  const heard = ({ type, persisted }: Event & { persisted?: boolean }): void => {
    // A page is shown for the first time too; in the cache of pages no socket survives.
    if (type === 'pageshow' ? persisted : type !== 'visibilitychange' || !page!.hidden) wake();
  };
  const listen = (target: Partial<EventTarget> | undefined, type: string): void =>
    target?.addEventListener?.(type, heard, aborter);
  for (const type of ['online', 'pageshow']) listen(globalThis, type);
  // The second comes after `freeze`.
  for (const type of ['visibilitychange', 'resume']) listen(page, type);
  return () => aborter.abort();
}
