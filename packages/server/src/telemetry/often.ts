import { Counter, Histogram, type Registry } from 'prom-client';

export interface OftenObserved {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/**
 * A histogram without labels, for what is observed with every notification. It counts by the place of a bucket;
 * prom-client's own looks each one up by its bound as text.
 */
export function oftenObserved({ buckets, ...named }: OftenObserved, registry: Registry): Observed {
  const histogram = new Histogram({ ...named, buckets: [...buckets], registers: [registry] });
  const counts = buckets.map(() => 0);
  let count = 0;
  let sum = 0;

  async function get(): Promise<object> {
    let upTo = 0;
    const bucket = (le: number | string, value: number) => ({
      metricName: `${named.name}_bucket`,
      labels: { le },
      value,
    });
    const values = buckets.map((bound, i) => {
      upTo += counts[i] ?? 0;
      return bucket(bound, upTo);
    });
    const whole = [
      { metricName: `${named.name}_sum`, labels: {}, value: sum },
      { metricName: `${named.name}_count`, labels: {}, value: count },
    ];
    return { ...named, type: 'histogram', aggregator: 'sum', values: [...values, bucket('+Inf', count), ...whole] };
  }

  // A registry asks by the one for text and by the other for JSON.
  Object.assign(histogram, { get, getForPromString: get });
  return {
    observe(value) {
      count += 1;
      sum += value;
      let place = 0;
      for (const bound of buckets) {
        if (value <= bound) {
          counts[place] = (counts[place] ?? 0) + 1;
          return;
        }
        place += 1;
      }
    },
  };
}

export interface Observed {
  observe(value: number): void;
}

export interface OftenCounted<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly label: Label;
}

/** A counter with one label that is counted with every notification: prom-client is told of the sums when it is read. */
export function oftenCounted<Label extends string>(
  { label, ...named }: OftenCounted<Label>,
  registry: Registry,
): { inc(labels: Readonly<Record<Label, string>>): void } {
  const untold = new Map<string, number>();
  new Counter<Label>({
    ...named,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, count] of untold) this.labels(value).inc(count);
      untold.clear();
    },
  });
  return {
    inc(labels) {
      const value = labels[label];
      untold.set(value, (untold.get(value) ?? 0) + 1);
    },
  };
}
