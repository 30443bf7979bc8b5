/** Tells those who look for work that there is some. */
export interface Bell {
  /** Wakes one of those who wait. */
  ring(): void;
  /** To be asked for before looking for work … */
  heard(): number;
  /** … and given back when there was none: resolves at once if it rang meanwhile. */
  rungSince(heard: number): Promise<void>;
}

export function createBell(): Bell {
  const waiting: (() => void)[] = [];
  let rings = 0;
  return {
    ring() {
      rings += 1;
      waiting.shift()?.();
    },
    heard: () => rings,
    rungSince: (heard) => (rings === heard ? new Promise((resolve) => void waiting.push(resolve)) : Promise.resolve()),
  };
}
