import type { Logger } from '../telemetry/logger.ts';
import { readPatiently } from './patient-read.ts';

/** Reads that one lane makes; each is repeated until the store answers. Nothing is made of those given up. */
export interface LaneReads {
  read<Rows>(load: () => Promise<Rows>, use: (rows: Rows) => void): Promise<void>;
  areUnderWay(): boolean;
}

export interface LaneReadsOptions {
  readonly isGivenUp: () => boolean;
  readonly stop: AbortSignal;
  readonly logger: Logger;
  /** Of the lane, for the log. */
  readonly fields: object;
  /** Told of what `use` threw. */
  readonly onFault: (error: unknown) => void;
  readonly onRead: () => void;
}

export function createLaneReads({ isGivenUp, stop, logger, fields, onFault, onRead }: LaneReadsOptions): LaneReads {
  let underWay = 0;

  return {
    async read(load, use) {
      underWay += 1;
      const answered = await readPatiently(load, isGivenUp, stop, (error) =>
        logger.error({ err: error, ...fields }, 'a lane cannot read, trying again'),
      );
      underWay -= 1;
      try {
        if (answered) use(answered.rows);
      } catch (error) {
        onFault(error);
      }
      onRead();
    },
    areUnderWay: () => underWay > 0,
  };
}
