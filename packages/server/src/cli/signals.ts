const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopSignal {
  /** Aborts at the first signal; a second one ends the process at once, with exit code 1. */
  readonly signal: AbortSignal;
  /** Aborts without a signal. */
  request(): void;
  /** Leaves signals to the system again. */
  release(): void;
}

/** From here on a signal to stop is a request that the command honours. */
export function onStop(): StopSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  return {
    signal: controller.signal,
    request: () => controller.abort(),
    release: () => {
      for (const name of SIGNALS) process.off(name, stop);
    },
  };
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
