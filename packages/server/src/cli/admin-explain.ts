import type { Command } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const RECORD = '--module Contacts --record 3652397000010000007';

interface ExplainOptions extends PageOptions {
  readonly module: string;
  readonly record: string;
  readonly channel?: string;
  readonly user?: string;
  readonly from?: string;
  readonly to?: string;
  readonly change?: number;
}

/** Why channels were, or were not, notified of what happened to a record. */
export function declareExplain(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'explain', 'Say why channels were, or were not, notified.', run, env);
  verb<ExplainOptions>('record', {
    description:
      'Say of each change of a record, newest first, why each channel was or was not notified: by the channel as it was ' +
      'then. "watchbell explain --module …" does the same.',
    isDefault: true,
    options: (command) =>
      pageOptions(
        command
          .requiredOption('--module <name>', 'API name of its module')
          .requiredOption('--record <id>', 'there, or deleted')
          .option('--channel <id>', 'only channels of this id, for any reason; else all that might have been told')
          .option('--user <id>', 'only channels of this user')
          .option('--from <time>', 'changes from then on (ISO 8601)')
          .option('--to <time>', 'changes until then')
          .option('--change <number>', 'only this change', integerFrom(1, Number.MAX_SAFE_INTEGER - 1)),
      ),
    columns: [
      'change.number',
      'change.at',
      'change.operation',
      'channel.channel_id',
      'channel.user',
      'verdict',
      'reason',
      'why',
    ],
    examples: [RECORD, `${RECORD} --channel 1000000068001 --limit 5`, `${RECORD} --from 2026-01-05T09:00:00Z --json`],
    work: async ({ admin, org }, _, { module, record, channel, user, from, to, change, ...page }) =>
      admin.explain(await org(), {
        module,
        record,
        ...(channel !== undefined && { channel }),
        ...(user !== undefined && { user }),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(change !== undefined && { change }),
        ...pageOf(page),
      }),
  });
}
