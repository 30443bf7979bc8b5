import type { Sink } from './sink.ts';

/** Where the notifications of a channel go, and how many channels take each event. */
export interface Shape {
  /** A channel for each: the `notify_url`. */
  readonly urls: readonly string[];
  /** 'each': an event is owed to every channel; 'one': to one of them, in turns. */
  readonly to: 'each' | 'one';
}

/** What a system is put up with. */
export interface Setting {
  /** Its own, empty, on a real disk; removed afterwards. */
  readonly dir: string;
  readonly sink: Sink;
  readonly shape: Shape;
  /** Where Watchbell leaves profiles of its main thread, for Chrome's developer tools; undefined: it makes none. */
  readonly profileDir?: string;
}

/**
 * What takes events and POSTs a notification of about 600 bytes to each channel that it is owed to, at least once, and
 * survives a kill with what it took (as far as its store does). Raw undici is no such thing: it is the ceiling.
 */
export interface System {
  /** As in tables and on the command line: `watchbell`, `watchbell-postgres`, `bullmq`, … */
  readonly name: string;
  /** What of a crash it survives, in some words: `each commit is on disk`, `up to a second is lost`. */
  readonly durability: string;
  start(setting: Setting): Promise<Running>;
}

/** A marker in the body of a notification names its event: `t:` and its serial, 12 digits. Serials begin at 0. */
export type Serial = number;

export interface Running {
  /** Takes as many events as given as fast as it can, in batches as large as are best for it; resolves when all are durable. */
  take(from: Serial, events: number): Promise<void>;
  /**
   * Takes single events at a steady rate, each at its own time whatever became of those before it. Moments are of the
   * monotonic clock (`process.hrtime`), in microseconds, by serial from `from` on: when it was handed in, and when it
   * was durable.
   */
  steady(from: Serial, perSecond: number, seconds: number): Promise<Moments>;
  /** What it has used so far: processor seconds of its processes, of its database, and its resident memory now. */
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

export interface Moments {
  readonly handedIn: Float64Array;
  readonly durable: Float64Array;
}

export interface Usage {
  /** User and system, of its own processes. */
  readonly cpu: number;
  /** Of the database or broker that it needs; 0 when it needs none. */
  readonly databaseCpu: number;
  readonly residentBytes: number;
  /** What else is counted, so far: told for each notification. */
  readonly counts?: Readonly<Record<string, number>>;
}
