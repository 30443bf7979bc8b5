import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const ONE = ['<user>', 'id of the user'] as const;

interface UserOptions {
  readonly email?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly profile?: string;
  readonly status?: 'active' | 'inactive';
}

const given = ({ email, firstName, lastName, profile, status }: UserOptions) => ({
  ...(email !== undefined && { email }),
  ...(firstName !== undefined && { first_name: firstName }),
  ...(lastName !== undefined && { last_name: lastName }),
  ...(profile !== undefined && { profile }),
  ...(status !== undefined && { status }),
});

/** `watchbell users …` */
export function declareUsers(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'users', 'Users of an organisation.', run, env);

  verb<{ page: number }>('list', {
    description: 'List users, removed ones too.',
    options: (command) => command.option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    examples: ['', '--org 3652397 --json'],
    work: async ({ admin, org }, _, { page }) => admin.users.list(await org(), { page }),
  });
  verb<{ email: string; lastName: string; firstName?: string; profile: string }>('add', {
    description: 'Add a user.',
    options: (command) =>
      command
        .requiredOption('--email <address>', 'e-mail address')
        .requiredOption('--last-name <name>', 'last name')
        .requiredOption('--profile <id>', 'id of a profile (watchbell profiles list)')
        .option('--first-name <name>', 'first name'),
    examples: ['--email ada@example.com --last-name Lovelace --profile 3652397000000026011'],
    work: async ({ admin, org }, _, { email, lastName, firstName, profile }) =>
      admin.users.add(await org(), {
        email,
        last_name: lastName,
        profile,
        ...(firstName !== undefined && { first_name: firstName }),
      }),
  });
  verb('show', {
    description: 'Show a user.',
    argument: ONE,
    examples: ['3652397000000186017'],
    work: async ({ admin, org }, user) => admin.users.show(await org(), user),
  });
  verb<UserOptions>('change', {
    description: 'Change a user. Inactive ends their tokens and channels; active lets them sign in again.',
    argument: ONE,
    options: (command) =>
      command
        .option('--email <address>', 'e-mail address')
        .option('--first-name <name>', 'first name')
        .option('--last-name <name>', 'last name')
        .option('--profile <id>', 'id of a profile')
        .option('--status <active|inactive>', 'whether they may do anything', status),
    examples: ['3652397000000186017 --status inactive'],
    work: async ({ admin, org }, user, options) => admin.users.change(await org(), user, given(options)),
  });
  verb('remove', {
    description: 'Remove a user for good, with tokens and channels. The name stays with the records.',
    argument: ONE,
    examples: ['3652397000000186017'],
    work: async ({ admin, org }, user) => admin.users.remove(await org(), user),
  });
  verb('sign-in-key', {
    description: 'Make a new key with which a user signs in on the consent page; it is shown once.',
    argument: ONE,
    examples: ['3652397000000186017'],
    work: async ({ admin, org }, user) => ({ sign_in_key: await admin.users.makeSignInKey(await org(), user) }),
  });
}

function status(text: string): 'active' | 'inactive' {
  if (text === 'active' || text === 'inactive') return text;
  throw new InvalidArgumentError('It must be active or inactive.');
}
