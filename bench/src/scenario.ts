import type { Log } from './log.ts';

/** What a run is asked for. */
export interface Ask {
  /** Counted rounds; one more comes before them and is not counted. */
  readonly rounds: number;
  /** A short look: fewer events, fewer rounds, small stores. Figures are not to be quoted. */
  readonly isQuick: boolean;
  /** Their names; undefined: all. */
  readonly systems?: readonly string[];
  /** As `Setting.profileDir` has it. */
  readonly profileDir?: string;
  readonly log: Log;
}

/** Named figures of one round of one system: `notifications_per_second`, `p99_ms`, … */
export type Figures = Readonly<Record<string, number>>;

/** What each round measured, by system, in the order of the rounds: A B A B …, so that pairs may be compared. */
export interface Measured {
  readonly rounds: Readonly<Record<string, readonly Figures[]>>;
  /** By `system/what`, of all rounds: counts by upper bounds in milliseconds. */
  readonly histograms?: Readonly<Record<string, Histogram>>;
  /** What has to be said beside the figures. */
  readonly remarks?: readonly string[];
}

export interface Histogram {
  /** Upper bounds; the last count is of what lies above all of them. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

export interface Scenario {
  /** On the command line: `one-channel`. */
  readonly name: string;
  /** A sentence for the report. */
  readonly about: string;
  /** Roughly, of a whole run, for the progress line. */
  readonly minutes: number;
  /** A figure of all systems, and the system that the others' are held against, pair by pair. */
  readonly compared?: { readonly figure: string; readonly to: string };
  run(ask: Ask): Promise<Measured>;
}

/** A line of the table of goals: a figure, or a ratio of two, pair by pair, of one scenario. */
export interface Goal {
  readonly scenario: string;
  readonly about: string;
  readonly unit: '' | '×' | '/s' | 'ms' | 'MiB' | 's' | '%';
  /** `system/figure`, and what it is divided by or subtracted from it. */
  readonly of: string;
  readonly dividedBy?: string;
  readonly minus?: string;
  readonly better: 'more' | 'less';
  readonly floor?: number;
  readonly aim: number;
}
