import type { Gaps, MissedRange, RematchWish } from '@watchbell/client';
import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import { CliError } from './errors.ts';
import { note } from './output.ts';
import type { Environment } from './settings.ts';

const CHANNEL = ['<generation>', 'generation of the channel, as "watchbell channels list" shows it'] as const;
const GENERATION = '3652397000010000042';
const MAX_NUMBER = Number.MAX_SAFE_INTEGER;
const ITEMS = ['number', 'state', 'reason', 'sequence', 'id', 'changed_at', 'body'];
const LAPSES = ['kind', 'from_change', 'to_change', 'began_at', 'ended_at', 'changes', 'rematched_to', 'hindrance'];

interface ReadOptions {
  readonly after?: number;
  readonly cursor?: string;
  readonly limit: number;
  readonly wait: number;
  readonly json?: true;
}

interface CursorOptions {
  readonly cursor: string;
  readonly number: number;
}

interface RematchOptions {
  readonly lapse?: 'expired' | 'overflow';
  readonly fromChange?: number;
  readonly all?: true;
  readonly dryRun?: true;
}

const afterOption = (command: Command): Command =>
  command
    .option('--after <number>', 'begin after this number; 0 when absent', integerFrom(0, MAX_NUMBER))
    .option('--cursor <name>', 'begin where this cursor stands');

const startOf = ({ after, cursor }: Pick<ReadOptions, 'after' | 'cursor'>) => ({
  ...(after !== undefined && { after }),
  ...(cursor !== undefined && { cursor }),
});

/** Commands that read what a receiver was sent, and what it may lack. */
export function declareFeed(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'feed',
    'Read the notifications of a channel whatever became of them, and what its receiver may lack.',
    run,
    env,
  );

  verb<ReadOptions>('read', {
    description: 'Show the notifications of a channel after a number, and wait for them if there are none.',
    argument: CHANNEL,
    options: (command) =>
      afterOption(command)
        .option('--limit <number>', 'most, up to 1000', integerFrom(1, 1000), 100)
        .option('--wait <seconds>', 'for something to be there, up to 60', integerFrom(0, 60), 0),
    columns: ITEMS,
    examples: [GENERATION, `${GENERATION} --after 1 --limit 10 --json`, `${GENERATION} --wait 5`],
    async work({ admin, org }, generation, { limit, wait, json, ...start }) {
      const page = await admin.channel(await org(), generation).feed.read({ ...startOf(start), limit, wait });
      if (json) return page;
      for (const { from, to, reason } of page.removed) note(`${from} to ${to} were removed by retention: ${reason}`);
      if (page.more) note(`go on with --after ${page.through}`);
      return { items: page.notifications, next: null };
    },
  });
  verb<Omit<ReadOptions, 'wait'>>('gaps', {
    description: 'Show numbers that were not acknowledged, by the receiver or a cursor, and changes without numbers.',
    argument: CHANNEL,
    options: (command) =>
      afterOption(command).option('--limit <number>', 'most ranges, up to 1000', integerFrom(1, 1000), 200),
    columns: ['what', 'from', 'to', 'state', 'reason'],
    examples: [GENERATION, `${GENERATION} --json`],
    async work({ admin, org }, generation, { limit, json, ...start }) {
      const gaps = await admin.channel(await org(), generation).feed.gaps({ ...startOf(start), limit });
      if (json) return gaps;
      if (gaps.more) note(`go on with --after ${gaps.through}`);
      return { items: rowsOf(gaps), next: null };
    },
  });
  verb<PageOptions>('lapses', {
    description: 'Show what a channel did not see because it had expired or owed too much, oldest first.',
    argument: CHANNEL,
    options: pageOptions,
    columns: LAPSES,
    examples: [GENERATION],
    work: async ({ admin, org }, generation, page) => admin.channel(await org(), generation).feed.lapses(pageOf(page)),
  });
  verb('cursors', {
    description: 'Show how far the readers of a channel have come.',
    argument: CHANNEL,
    examples: [GENERATION],
    work: async ({ admin, org }, generation) => ({
      items: await admin.channel(await org(), generation).feed.cursors.list(),
      next: null,
    }),
  });
  verb<CursorOptions>('move', {
    description: 'Set a cursor to a number, up to which everything counts as acknowledged; a lower one sets it back.',
    argument: CHANNEL,
    options: (command) =>
      command
        .requiredOption('--cursor <name>', 'its name: a-z, 0-9, _ and -')
        .requiredOption('--number <number>', 'where it stands from now on', integerFrom(0, MAX_NUMBER)),
    examples: [`${GENERATION} --cursor nightly --number 1`],
    work: async ({ admin, org }, generation, { cursor, number }) =>
      admin.channel(await org(), generation).feed.cursors.move(cursor, number),
  });
  verb<Pick<CursorOptions, 'cursor'>>('forget', {
    description: 'Remove a cursor.',
    argument: CHANNEL,
    options: (command) => command.requiredOption('--cursor <name>', 'its name'),
    examples: [`${GENERATION} --cursor nightly`],
    async work({ admin, org }, generation, { cursor }) {
      await admin.channel(await org(), generation).feed.cursors.remove(cursor);
      return { status: 'removed' };
    },
  });
}

/** Commands that make notifications of what a channel did not see. */
export function declareRematches(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'rematch',
    'Make notifications of the changes that a channel did not see while it had expired or owed too much.',
    run,
    env,
  );

  verb<RematchOptions>('start', {
    description:
      'Match the changes of a lapse again, or of all that can be, in the background; "watchbell replays show" says how far it is.',
    argument: CHANNEL,
    options: (command) =>
      command
        .option('--all', 'of every lapse that can be')
        .option('--lapse <kind>', 'expired or overflow, as "watchbell feed lapses" shows it', kind)
        .option('--from-change <number>', 'of the lapse, as shown there', integerFrom(0, MAX_NUMBER))
        .option('--dry-run', 'only count what it would make'),
    columns: ['id', 'state', 'request', 'done', 'passed', 'note'],
    examples: [
      `${GENERATION} --all`,
      `${GENERATION} --lapse expired --from-change 12`,
      `${GENERATION} --all --dry-run`,
    ],
    async work({ admin, org }, generation, { dryRun, ...asked }) {
      const { feed } = admin.channel(await org(), generation);
      const wish = wishOf(asked);
      if (!dryRun) return { items: await feed.rematch(wish), next: null };
      const plans = await feed.planRematch(wish);
      return { items: plans.map(({ lapse, ...counts }) => ({ ...rowOf(lapse), ...counts })), next: null };
    },
  });
}

function wishOf({ all, lapse, fromChange }: RematchOptions): RematchWish {
  if (all && lapse === undefined && fromChange === undefined) return { all };
  if (!all && lapse !== undefined && fromChange !== undefined) return { lapse, from_change: fromChange };
  throw new CliError('Give --all, or --lapse and --from-change of one lapse.', 2);
}

const rowOf = ({ kind, from_change, to_change }: MissedRange) => ({
  what: 'changes',
  from: from_change + 1,
  to: to_change,
  state: kind,
});

const rowsOf = ({ numbers, lapses }: Gaps): readonly object[] => [
  ...numbers.map((gap) => ({ what: 'numbers', ...gap })),
  ...lapses.map((lapse) => ({ ...rowOf(lapse), reason: lapse.can_rematch ? 'can be re-matched' : lapse.hindrance })),
];

function kind(text: string): 'expired' | 'overflow' {
  if (text === 'expired' || text === 'overflow') return text;
  throw new InvalidArgumentError('It must be expired or overflow.');
}
