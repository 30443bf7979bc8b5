import type { Command } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const ONE = ['<profile>', 'id of the profile'] as const;

/** Names between commas; nothing is none of them. */
const names = (text: string): readonly string[] => text.split(',').filter((name) => name !== '');

/** `watchbell profiles …` */
export function declareProfiles(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'profiles', 'Profiles: which modules users may use.', run, env);

  verb<{ page: number }>('list', {
    description: 'List profiles.',
    options: (command) => command.option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    examples: ['', '--json'],
    work: async ({ admin, org }, _, { page }) => admin.profiles.list(await org(), { page }),
  });
  verb<{ name: string; deny: readonly string[] }>('add', {
    description: 'Add a profile.',
    options: (command) =>
      command
        .requiredOption('--name <text>', 'its name')
        .option('--deny <modules>', 'API names between commas that its users may not use', names, []),
    examples: ['--name Support --deny Deals,Quotes'],
    work: async ({ admin, org }, _, { name, deny }) => admin.profiles.add(await org(), { name, denied_modules: deny }),
  });
  verb('show', {
    description: 'Show a profile.',
    argument: ONE,
    examples: ['3652397000000026011'],
    work: async ({ admin, org }, profile) => admin.profiles.show(await org(), profile),
  });
  verb<{ name?: string; deny?: readonly string[] }>('change', {
    description:
      'Change the name of a profile, or the modules that it denies (the list takes the place of the old one).',
    argument: ONE,
    options: (command) =>
      command
        .option('--name <text>', 'its new name')
        .option('--deny <modules>', "API names between commas; '' denies none", names),
    examples: ["3652397000000026011 --deny ''"],
    work: async ({ admin, org }, profile, { name, deny }) =>
      admin.profiles.change(await org(), profile, {
        ...(name !== undefined && { name }),
        ...(deny !== undefined && { denied_modules: deny }),
      }),
  });
  verb('remove', {
    description: 'Remove a profile that no user has.',
    argument: ONE,
    examples: ['3652397900000026012'],
    async work({ admin, org }, profile) {
      await admin.profiles.remove(await org(), profile);
      return { removed: profile };
    },
  });
}
