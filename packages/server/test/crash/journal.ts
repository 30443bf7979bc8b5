/** What is called `status` when nothing was answered: the connection was reset. */
export type Answered = number | 'reset';

/** One request to a receiver. `order` counts everything that happened in a run, so that it tells what came first. */
export interface Arrival {
  readonly order: number;
  /** When it had come, ms of this process' own time. */
  readonly at: number;
  /** The address that it came from. */
  readonly from: string;
  readonly receiver: string;
  readonly id: string;
  readonly generation: string;
  readonly number: number;
  readonly attempt: number;
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
  /** The value of Description for each record, where the notification has values. */
  readonly descriptions: ReadonlyMap<string, string>;
  /** Of its body but for what is the channel's at each attempt: the token and the query parameters. */
  readonly digest: string;
  /** Undefined: it was in the air until its server was killed or gave up. */
  answer?: { readonly order: number; readonly at: number; readonly status: Answered };
}

/** A server that was killed, and what its store says then. Times are orders, as of arrivals. */
export interface Kill {
  readonly kind: string;
  /** When its server was started. */
  readonly from: number;
  readonly order: number;
  /** When all that it had sent had been read. */
  readonly until: number;
  /** Attempts made of each notification that is pending in the store. */
  readonly pending: ReadonlyMap<string, number>;
  /** The address that it sent from, where there are others; undefined: all that is sent came from it. */
  readonly sender?: string;
}

/** Everything that happened in a run, in order. */
export interface Journal {
  readonly arrivals: Arrival[];
  readonly kills: Kill[];
  next(): number;
  /** Told of each arrival and answer. */
  readonly listeners: Set<() => void>;
  wake(): void;
  /** Resolves with true once `done` holds; asked again at each arrival and answer. */
  until(done: () => boolean, deadlineMs: number): Promise<boolean>;
}

export const keyOf = ({ generation, number }: { readonly generation: string; readonly number: number }): string =>
  `${generation} ${number}`;

export const isSuccess = (status: Answered | undefined): boolean =>
  typeof status === 'number' && status >= 200 && status < 300;

/** What a kill cut off, by the store's word and the receivers'. */
export interface CutOff {
  /** Committed, and no request of it had come. */
  readonly unsent: number;
  /** Attempts that had come and were not answered. */
  readonly inAir: number;
  /** Attempts that had been answered, of which the store did not know. */
  readonly unsettled: number;
}

export function cutOff({ from, order, until, pending, sender }: Kill, arrivals: readonly Arrival[]): CutOff {
  const came = new Set<string>();
  let inAir = 0;
  let unsettled = 0;
  for (const arrival of arrivals) {
    if (arrival.order > until) break;
    const key = keyOf(arrival);
    came.add(key);
    if (sender !== undefined && arrival.from !== sender) continue;
    const isKnown = arrival.attempt <= (pending.get(key) ?? Infinity);
    if (arrival.order < from || isKnown) continue;
    if (arrival.answer && arrival.answer.order < order) unsettled += 1;
    else inAir += 1;
  }
  const unsent = [...pending].filter(([key, attemptsMade]) => attemptsMade === 0 && !came.has(key)).length;
  return { unsent, inAir, unsettled };
}

export function createJournal(): Journal {
  let order = 0;
  const listeners = new Set<() => void>();
  return {
    arrivals: [],
    kills: [],
    next: () => ++order,
    listeners,
    wake() {
      for (const listener of [...listeners]) listener();
    },
    until: (done, deadlineMs) =>
      new Promise((resolve) => {
        const finish = (met: boolean) => {
          listeners.delete(check);
          clearTimeout(timer);
          resolve(met);
        };
        const check = () => {
          if (done()) finish(true);
        };
        const timer = setTimeout(() => finish(done()), deadlineMs);
        listeners.add(check);
        check();
      }),
  };
}
