import type { ChannelState } from '../domain/channel.ts';
import type { JobState } from '../domain/job.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Why a node works on a job no more: `gone` and `rests` are about its channel. */
export type Ending = 'done' | 'failing' | 'gone' | 'rests' | 'stopped';

const NOTES = {
  failing:
    'The receiver did not take the last notifications. Resume the job when it does again: it goes on after its position',
  gone: 'The channel has ended: nothing can be sent for it any more',
  expired: 'The channel has expired: the job goes on when its owner renews it',
  suspended: 'The channel is suspended: the job goes on when it is resumed',
} as const;

/** How a job is stored then. */
export function stateAt(
  ending: Ending,
  channel: ChannelState | undefined,
): { readonly state: JobState; readonly note?: string } {
  switch (ending) {
    case 'done':
      return { state: 'done' };
    case 'failing':
    case 'gone':
      return { state: 'failed', note: NOTES[ending] };
    case 'rests':
      return { state: 'running', note: NOTES[channel === 'suspended' ? 'suspended' : 'expired'] };
    case 'stopped':
      return { state: 'running' };
  }
}

/** `isNews`: its note is another than before. */
export function tellOfEnd(logger: Logger, ending: Ending, told: object, isNews: boolean): void {
  switch (ending) {
    case 'done':
      logger.info(told, 'a job is done');
      return;
    case 'failing':
    case 'gone':
      logger.warn({ ...told, why: ending }, 'a job failed');
      return;
    case 'rests':
      if (isNews) logger.info(told, 'a job waits for its channel');
      return;
    case 'stopped':
      logger.debug(told, 'a job stopped here');
  }
}
