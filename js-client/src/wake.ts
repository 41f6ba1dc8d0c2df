// Hears when a page is looked at again, or has a network again.

/** Calls `wake` on each such event, until the function that is returned is called. Does nothing outside of pages. */
export function onWake(wake: () => void): () => void {
  const page = globalThis.document as Document | undefined;
  const visible = (): void => {
    if (page?.visibilityState === 'visible') wake();
  };
  const listeners: [Partial<EventTarget> | undefined, string, () => void][] = [
    [globalThis, 'online', wake],
    // From the cache of pages, in which sockets do not survive.
    [globalThis, 'pageshow', wake],
    [page, 'visibilitychange', visible],
    // After `freeze`.
    [page, 'resume', wake],
  ];
  for (const [target, name, listener] of listeners) target?.addEventListener?.(name, listener);
  return () => {
    for (const [target, name, listener] of listeners) target?.removeEventListener?.(name, listener);
  };
}
