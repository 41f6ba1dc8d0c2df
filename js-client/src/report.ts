// Runs what users pass in, so that its mistakes reach the console and nothing else.

export function report(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
