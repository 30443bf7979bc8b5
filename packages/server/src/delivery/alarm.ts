/** Lets a loop sleep until a time, or until it is woken. */
export interface Alarm {
  /** Resolves at once when it was woken since the last time. At most one sleeps. */
  sleep(ms: number): Promise<void>;
  wake(): void;
}

export function createAlarm(): Alarm {
  let isWoken = false;
  let awaken: (() => void) | undefined;
  return {
    async sleep(ms) {
      if (!isWoken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, ms));
          timer.unref();
          awaken = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      awaken = undefined;
      isWoken = false;
    },
    wake() {
      isWoken = true;
      awaken?.();
    },
  };
}
