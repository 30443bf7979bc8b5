import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import { httpUrl, integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const ONE = ['<generation>', 'generation of the channel, as list shows it'] as const;
const EXAMPLE = '3652397000010000042';

interface ListOptions {
  readonly user?: string;
  readonly client?: string;
  readonly ended?: boolean;
  readonly page: number;
}

interface SettingsOptions {
  readonly concurrency?: number | typeof NONE;
  readonly lifecycleUrl?: string;
}

/** Takes a setting away: the parser of an option cannot answer null. */
const NONE = 'none';
const orNull = <Value extends string | number>(given: Value): Exclude<Value, typeof NONE> | null =>
  given === NONE ? null : (given as Exclude<Value, typeof NONE>);
/** Most attempts at once that a channel may be given. */
const MAX_CONCURRENCY = 16;

/** Commands on the channels of an organisation, of all its users. */
export function declareChannels(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'channels',
    'See whose channels there are, how their receivers do, and stop or resume one.',
    run,
    env,
  );

  verb<ListOptions>('list', {
    description: 'List channels: whose they are, whether their receivers answer, why they were suspended or ended.',
    options: (command) =>
      command
        .option('--user <id>', 'only of this user')
        .option('--client <id>', 'only of this client')
        .option('--ended', 'those that have ended instead of the others')
        .option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    columns: [
      'channel_id',
      'generation',
      'state',
      'expires_in_seconds',
      'owed',
      'oldest_owed_at',
      'failing_since',
      'suspended_reason',
      'ended_reason',
      'receiver',
    ],
    examples: ['', '--ended --user 3652397000000186017'],
    work: async ({ admin, org }, _, { user, client, ended, page }) =>
      admin.channels.list(
        await org(),
        { ...(user !== undefined && { user }), ...(client !== undefined && { client }), ...(ended && { ended }) },
        { page },
      ),
  });
  verb('show', {
    description: 'Show a channel, also one that has ended.',
    argument: ONE,
    examples: [EXAMPLE],
    work: async ({ admin, org }, generation) => admin.channels.show(await org(), generation),
  });
  verb<PageOptions>('revisions', {
    description: 'Show what was made of a channel, newest first: opened, replaced, expired, suspended …',
    argument: ONE,
    options: pageOptions,
    columns: ['version', 'at', 'kind', 'events', 'expires_at', 'last_number'],
    examples: [EXAMPLE, `${EXAMPLE} --limit 5`],
    work: async ({ admin, org }, generation, page) => admin.channel(await org(), generation).revisions(pageOf(page)),
  });
  verb<SettingsOptions>('settings', {
    description: 'Show or change the settings of a channel that calls of the hosted service do not know.',
    argument: ONE,
    options: (command) =>
      command
        .option('--concurrency <number|none>', 'most attempts at once, 1 to 16', concurrency)
        .option('--lifecycle-url <url|none>', 'where its owner is told of its life', lifecycleUrl),
    examples: [EXAMPLE, `${EXAMPLE} --concurrency 2`, `${EXAMPLE} --concurrency none`],
    async work({ admin, org }, generation, change) {
      const channel = admin.channel(await org(), generation);
      const asked = {
        ...(change.concurrency !== undefined && { concurrency: orNull(change.concurrency) }),
        ...(change.lifecycleUrl !== undefined && { lifecycle_url: orNull(change.lifecycleUrl) }),
      };
      return Object.keys(asked).length > 0 ? channel.changeSettings(asked) : channel.settings();
    },
  });
  verb('test', {
    description: 'Send a test notification now, about no record and without a number, and show what came of it.',
    argument: ONE,
    examples: [EXAMPLE],
    work: async ({ admin, org }, generation) => admin.channel(await org(), generation).test(),
  });
  verb('suspend', {
    description: 'Send nothing for a channel until it is resumed, here or by a POST or PUT of its owner.',
    argument: ONE,
    examples: [EXAMPLE],
    work: async ({ admin, org }, generation) => admin.channels.suspend(await org(), generation),
  });
  verb<{ mode: 'backlog' | 'skip' }>('resume', {
    description: 'Let a suspended channel go on: with its backlog, or skipping what it owes, which is cancelled.',
    argument: ONE,
    options: (command) => command.option('--mode <backlog|skip>', 'what becomes of what it owes', mode, 'backlog'),
    examples: [EXAMPLE, `${EXAMPLE} --mode skip`],
    work: async ({ admin, org }, generation, options) => admin.channels.resume(await org(), generation, options.mode),
  });
}

const concurrency = (text: string): number | typeof NONE =>
  text === NONE ? NONE : integerFrom(1, MAX_CONCURRENCY)(text);
const lifecycleUrl = (text: string): string => (text === NONE ? NONE : httpUrl(text).href);

function mode(text: string): 'backlog' | 'skip' {
  if (text === 'backlog' || text === 'skip') return text;
  throw new InvalidArgumentError('It must be backlog or skip.');
}
