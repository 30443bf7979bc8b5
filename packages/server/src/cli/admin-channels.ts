import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
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

function mode(text: string): 'backlog' | 'skip' {
  if (text === 'backlog' || text === 'skip') return text;
  throw new InvalidArgumentError('It must be backlog or skip.');
}
