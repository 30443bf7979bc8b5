import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const CHANNEL = ['<generation>', 'generation of the channel, as "watchbell channels list" shows it'] as const;
const JOB = ['<job>', 'id of the job, as list shows it'] as const;
const GENERATION = '3652397000010000042';
const ID = 'job_019aa5f0c1e25d7c6ee04b2b8d9a4f31';

const WHICH = ['parked', 'undelivered', 'all'] as const;
const STATES = ['running', 'paused', 'done', 'failed', 'cancelled'] as const;
const COLUMNS = ['id', 'kind', 'generation', 'state', 'position', 'done', 'failed', 'passed', 'total', 'note'];
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const MAX_RATE = 5000;

interface StartOptions {
  readonly from?: number;
  readonly to?: number;
  readonly fromTime?: string;
  readonly toTime?: string;
  readonly which: (typeof WHICH)[number];
  readonly rate: number;
  readonly dryRun?: boolean;
}

interface ListOptions extends PageOptions {
  readonly channel?: string;
  readonly state?: (typeof STATES)[number];
}

/** Commands that send notifications again, and on the jobs that do it. */
export function declareReplays(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'replays',
    'Send notifications again: one, or a range in the background, and see how far that has come.',
    run,
    env,
  );

  verb<StartOptions>('start', {
    description: 'Send a range of the notifications of a channel again, in the background.',
    argument: CHANNEL,
    options: (command) =>
      command
        .option('--from <number>', 'first number; 1 when absent', integerFrom(1, MAX_NUMBER))
        .option('--to <number>', 'last number; the newest when absent', integerFrom(1, MAX_NUMBER))
        .option('--from-time <time>', 'instead: of changes made then (ISO 8601) or later')
        .option('--to-time <time>', 'instead: of changes made before then')
        .option('--which <which>', 'parked, undelivered or all', oneOf(WHICH), 'undelivered' as const)
        .option('--rate <number>', 'most a second', integerFrom(1, MAX_RATE), 50)
        .option('--dry-run', 'only count what would be sent'),
    examples: [GENERATION, `${GENERATION} --from 120 --to 480 --which all --rate 200`, `${GENERATION} --dry-run`],
    async work({ admin, org }, generation, { from, to, fromTime, toTime, which, rate, dryRun }) {
      const channel = admin.channel(await org(), generation);
      const wish = {
        which,
        rate,
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(fromTime !== undefined && { from_time: fromTime }),
        ...(toTime !== undefined && { to_time: toTime }),
      };
      return dryRun ? channel.planReplay(wish) : channel.replay(wish);
    },
  });
  verb<{ readonly number: number }>('redeliver', {
    description: 'Send one notification of a channel again, and show what came of it.',
    argument: CHANNEL,
    options: (command) =>
      command.requiredOption('--number <number>', 'of the notification', integerFrom(1, MAX_NUMBER)),
    examples: [`${GENERATION} --number 7`],
    async work({ admin, org }, generation, { number }) {
      const { job, attempt } = await admin.channel(await org(), generation).redeliver(number);
      return attempt ? { ...attempt, job: job.id } : job;
    },
  });
  verb<ListOptions>('list', {
    description: 'List redeliveries, replays and re-matches, newest first.',
    options: (command) =>
      pageOptions(
        command
          .option('--channel <generation>', 'only of this channel')
          .option('--state <state>', `only those that are ${STATES.join(', ')}`, oneOf(STATES)),
      ),
    columns: COLUMNS,
    examples: ['', `--channel ${GENERATION} --state running`],
    work: async ({ admin, org }, _, { channel, state, ...page }) =>
      admin.jobs(await org()).list({
        ...pageOf(page),
        ...(channel !== undefined && { channel }),
        ...(state !== undefined && { state }),
      }),
  });
  verb('show', {
    description: 'Show how far a job has come.',
    argument: JOB,
    examples: [ID],
    work: async ({ admin, org }, job) => admin.jobs(await org()).show(job),
  });
  verb('pause', {
    description: 'Let a job rest where it is, until it is resumed.',
    argument: JOB,
    examples: [ID],
    work: async ({ admin, org }, job) => admin.jobs(await org()).pause(job),
  });
  verb('resume', {
    description: 'Let a job go on that is paused or failed, after the last number that it has done.',
    argument: JOB,
    examples: [ID],
    work: async ({ admin, org }, job) => admin.jobs(await org()).resume(job),
  });
  verb('cancel', {
    description: 'End a job where it is. What it sent stays sent.',
    argument: JOB,
    examples: [ID],
    work: async ({ admin, org }, job) => admin.jobs(await org()).cancel(job),
  });
}

/** A parser of one of a few words. */
const oneOf =
  <const Word extends string>(words: readonly Word[]) =>
  (text: string): Word => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new InvalidArgumentError(`It must be ${words.join(', ')}.`);
    return found;
  };
