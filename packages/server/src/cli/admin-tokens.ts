import type { Command } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import { CliError } from './errors.ts';
import type { Environment } from './settings.ts';

interface WhoseOptions {
  readonly user?: string;
  readonly client?: string;
}

const whose = (command: Command): Command =>
  command.option('--user <id>', 'of this user').option('--client <id>', 'by this client');

const given = ({ user, client }: WhoseOptions) => ({
  ...(user !== undefined && { user }),
  ...(client !== undefined && { client }),
});

/** `watchbell tokens …` */
export function declareTokens(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'tokens', 'OAuth tokens of an organisation.', run, env);

  verb<WhoseOptions & { page: number }>('list', {
    description: 'List live tokens, newest first: what is known of them, never the tokens themselves.',
    options: (command) => whose(command).option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    examples: ['', '--user 3652397000000186017'],
    work: async ({ admin, org }, _, options) => admin.tokens.list(await org(), given(options), { page: options.page }),
  });
  verb<WhoseOptions>('revoke', {
    description: 'Revoke one token by its id, with those issued from it; or all of a user, a client, or both.',
    argument: ['[token]', 'id of the token, as listed'],
    options: whose,
    examples: ['0f3a9c51d2b84e6fa1c07b32', '--user 3652397000000186017 --client 1000.DEV'],
    async work({ admin, org }, token, options) {
      const isOne = token !== '';
      const filter = given(options);
      if (isOne === Object.keys(filter).length > 0) {
        throw new CliError('Name either one token, or a user, a client or both.', 2);
      }
      if (!isOne) return { tokens_ended: await admin.tokens.revokeAll(await org(), filter) };
      await admin.tokens.revoke(await org(), token);
      return { revoked: token };
    },
  });
}
