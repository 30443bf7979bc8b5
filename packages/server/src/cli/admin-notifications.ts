import type { AttemptOutcome, AttemptQuery, NotificationQuery, NotificationState } from '@watchbell/client';
import { type Command, Option } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import { note } from './output.ts';
import type { Environment } from './settings.ts';

const ONE = ['<notification>', 'id of the notification, as list shows it and webhook-id says it'] as const;
const EXAMPLE = 'msg_019aa5f0c1e25d7c6ee04b2b8d9a4f31';
const GENERATION = '3652397000010000042';
const RECORD = '--module Contacts --record 3652397000010000007';
const TIME = '2026-01-05T09:00:00Z';

const STATES: readonly NotificationState[] = ['pending', 'held', 'delivered', 'parked', 'cancelled'];
const OUTCOMES: readonly AttemptOutcome[] = ['delivered', 'rejected', 'unreachable', 'forbidden'];

const whose = (command: Command): Command =>
  command
    .option('--channel <generation>', 'only of this channel')
    .option('--user <id>', 'only of channels of this user');

type ListOptions = Omit<NotificationQuery, keyof PageOptions> & PageOptions;
type AttemptOptions = Omit<AttemptQuery, keyof PageOptions> & PageOptions;

/** Commands that find notifications, show one, and print how to send it by hand. */
export function declareNotifications(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'notifications',
    'Find notifications by what they are about, when, and what became of them.',
    run,
    env,
  );

  verb<ListOptions>('list', {
    description:
      'List notifications, newest first. A page looks at a bounded part of what there is: it may show fewer than asked ' +
      'for, or none, and have a next one.',
    options: (command) =>
      pageOptions(
        whose(command)
          .option('--module <name>', 'only about this module')
          .option('--record <id>', 'only about this record of the module')
          .addOption(new Option('--state <state>', 'what became of them').choices(STATES))
          .addOption(new Option('--outcome <outcome>', 'of the last attempt').choices(['none', ...OUTCOMES]))
          .option('--from <time>', 'changes made then or later (ISO 8601)')
          .option('--to <time>', 'changes made before then'),
      ),
    columns: [
      'id',
      'channel_id',
      'channel_generation',
      'number',
      'change.at',
      'module',
      'operation',
      'ids',
      'state',
      'reason',
      'attempts_made',
      'last_attempt.outcome',
      'last_attempt.status',
      'next_attempt_at',
    ],
    examples: [
      '',
      '--state parked --limit 10',
      `--channel ${GENERATION} --outcome rejected`,
      `${RECORD} --from ${TIME} --json`,
    ],
    work: async ({ admin, org }, _, options) => admin.notifications(await org()).list(queryOf(options)),
  });
  verb('show', {
    description: 'Show a notification with the exact text that is sent, and every attempt.',
    argument: ONE,
    examples: [EXAMPLE, `${EXAMPLE} --json`],
    work: async ({ admin, org }, id) => admin.notifications(await org()).show(id),
  });
  verb('curl', {
    description:
      'Print a command line that sends a notification by hand: the exact text with the headers that say which it is, ' +
      'unsigned. Nothing is noted of it; "watchbell notifications" has no part in what comes of it.',
    argument: ONE,
    only: 'curl',
    examples: [EXAMPLE, `${EXAMPLE} | sh`],
    async work({ admin, org }, id) {
      const { curl } = await admin.notifications(await org()).show(id);
      note('It is not signed: a receiver that verifies signatures refuses it.');
      return { curl };
    },
  });
}

/** Commands on single requests to receivers. */
export function declareAttempts(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'attempts', 'See single requests to receivers, and what came of them.', run, env);
  verb<AttemptOptions>('list', {
    description: 'List attempts: those that failed, newest first; of one channel all, from its highest number down.',
    options: (command) =>
      pageOptions(
        whose(command)
          .addOption(new Option('--outcome <outcome>', 'what came of them').choices(OUTCOMES))
          .option('--status <number>', 'HTTP status of the answer', integerFrom(100, 599))
          .option('--from <time>', 'begun then or later (ISO 8601)')
          .option('--to <time>', 'begun before then'),
      ),
    columns: [
      'at',
      'channel_id',
      'channel_generation',
      'number',
      'attempt',
      'outcome',
      'status',
      'reason',
      'message',
      'duration_ms',
      'address',
      'answer',
    ],
    examples: ['', `--channel ${GENERATION} --limit 20`, `--status 500 --from ${TIME}`],
    work: async ({ admin, org }, _, options) => admin.notifications(await org()).attempts(queryOf(options)),
  });
}

const NAMES = ['channel', 'user', 'module', 'record', 'state', 'outcome', 'status', 'from', 'to'] as const;

/** Without what says which server it is. */
function queryOf<Options extends PageOptions>(options: Options): Options {
  const given = Object.entries(options).filter(([name]) => NAMES.some((known) => known === name));
  return { ...(Object.fromEntries(given) as Options), ...pageOf(options) };
}
