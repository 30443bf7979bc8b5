import type { Command } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import { CliError } from './errors.ts';
import type { Environment } from './settings.ts';

const ONE = ['<org>', 'id of the organisation'] as const;

/** `watchbell orgs …` */
export function declareOrgs(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'orgs', 'Organisations of a running server.', run, env);

  verb<{ page: number }>('list', {
    description: 'List organisations; with the admin token of one, that one.',
    isAboutOrgs: true,
    options: (command) => command.option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    examples: ['', '--json'],
    work: ({ admin }, _, { page }) => admin.orgs.list({ page }),
  });
  verb<{ name: string; email: string; lastName: string; firstName?: string; timeZone?: string; client?: string }>(
    'add',
    {
      description:
        'Make an organisation with its first user, OAuth client and admin token. Secrets are shown once. Needs ' +
        'WATCHBELL_ADMIN_TOKEN, the token for all organisations.',
      isAboutOrgs: true,
      options: (command) =>
        command
          .requiredOption('--name <text>', 'name of the organisation')
          .requiredOption('--email <address>', "the first user's e-mail address")
          .requiredOption('--last-name <name>', "the first user's last name")
          .option('--first-name <name>', "the first user's first name")
          .option('--time-zone <name>', 'IANA time zone; UTC when absent')
          .option('--client <name>', 'name of the OAuth client'),
      examples: ['--name Zylker --email ada@example.com --last-name Lovelace --time-zone Europe/Berlin'],
      async work({ admin }, _, { name, email, firstName, lastName, timeZone, client }) {
        const { org, ...made } = await admin.orgs.add({
          name,
          email,
          last_name: lastName,
          ...(firstName !== undefined && { first_name: firstName }),
          ...(timeZone !== undefined && { time_zone: timeZone }),
          ...(client !== undefined && { client_name: client }),
        });
        return { org: org.id, ...made };
      },
    },
  );
  verb('show', {
    description: 'Show an organisation.',
    argument: ONE,
    isAboutOrgs: true,
    examples: ['3652397'],
    work: ({ admin }, org) => admin.orgs.show(org),
  });
  verb<{ name?: string; timeZone?: string }>('change', {
    description: 'Change the name or time zone of an organisation.',
    argument: ONE,
    isAboutOrgs: true,
    options: (command) =>
      command.option('--name <text>', 'its new name').option('--time-zone <name>', 'its new IANA time zone'),
    examples: ['3652397 --time-zone America/New_York'],
    work: ({ admin }, org, { name, timeZone }) =>
      admin.orgs.change(org, {
        ...(name !== undefined && { name }),
        ...(timeZone !== undefined && { time_zone: timeZone }),
      }),
  });
  verb('suspend', {
    description: 'Serve an organisation nothing and send nothing for it, until it is resumed. What it owes stays owed.',
    argument: ONE,
    isAboutOrgs: true,
    examples: ['3652397'],
    work: ({ admin }, org) => admin.orgs.suspend(org),
  });
  verb('resume', {
    description: 'Serve a suspended organisation again; what it owes flows on.',
    argument: ONE,
    isAboutOrgs: true,
    examples: ['3652397'],
    work: ({ admin }, org) => admin.orgs.resume(org),
  });
  verb<{ yes?: boolean }>('erase', {
    description: 'Erase an organisation with all that it has, in the background. Cannot be taken back.',
    argument: ONE,
    isAboutOrgs: true,
    options: (command) => command.option('--yes', 'required: nothing of it can be had back'),
    examples: ['4111111 --yes'],
    async work({ admin }, org, { yes }) {
      if (!yes) throw new CliError(`All of ${org} would be gone for good: add --yes if you mean it.`, 2);
      return admin.orgs.erase(org);
    },
  });
}
