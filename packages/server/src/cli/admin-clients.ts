import type { Command } from 'commander';
import { declareNoun } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const ONE = ['<client>', 'client id'] as const;

/** Collects an option that may be given several times. */
const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `watchbell clients …` */
export function declareClients(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(program, 'clients', 'OAuth clients of an organisation.', run, env);

  verb<{ page: number }>('list', {
    description: 'List OAuth clients.',
    options: (command) => command.option('--page <number>', 'of 200 each', integerFrom(1, 1_000_000), 1),
    examples: ['', '--json'],
    work: async ({ admin, org }, _, { page }) => admin.clients.list(await org(), { page }),
  });
  verb<{ name: string; redirectUri?: readonly string[]; actingUser?: string }>('add', {
    description: 'Add an OAuth client. Its secret is shown once.',
    options: (command) =>
      command
        .requiredOption('--name <text>', 'its name, as the consent page shows it')
        .option('--redirect-uri <url>', 'where codes may be sent (repeatable)', several)
        .option('--acting-user <id>', 'whom client_credentials act as'),
    examples: ['--name Sync --redirect-uri https://app.example.com/callback'],
    work: async ({ admin, org }, _, { name, redirectUri, actingUser }) =>
      withSecret(
        await admin.clients.add(await org(), {
          name,
          ...(redirectUri && { redirect_uris: redirectUri }),
          ...(actingUser !== undefined && { acting_user: actingUser }),
        }),
      ),
  });
  verb('show', {
    description: 'Show an OAuth client.',
    argument: ONE,
    examples: ['1000.DEV'],
    work: async ({ admin, org }, client) => admin.clients.show(await org(), client),
  });
  verb<{ name?: string; redirectUri?: readonly string[]; actingUser?: string }>('change', {
    description: 'Change a client; redirect URIs that are given take the place of the old ones.',
    argument: ONE,
    options: (command) =>
      command
        .option('--name <text>', 'its new name')
        .option('--redirect-uri <url>', 'where codes may be sent (repeatable)', several)
        .option('--acting-user <id>', 'whom client_credentials act as'),
    examples: ['1000.DEV --redirect-uri http://localhost:3000/callback'],
    work: async ({ admin, org }, client, { name, redirectUri, actingUser }) =>
      admin.clients.change(await org(), client, {
        ...(name !== undefined && { name }),
        ...(redirectUri && { redirect_uris: redirectUri }),
        ...(actingUser !== undefined && { acting_user: actingUser }),
      }),
  });
  verb<{ keep: number }>('rotate', {
    description: 'Give a client a new secret, shown once. The present one stays good for a while, if asked for.',
    argument: ONE,
    options: (command) =>
      command.option('--keep <seconds>', 'how long the present secret stays good', integerFrom(0, 2_592_000), 0),
    examples: ['1000.DEV --keep 86400'],
    work: async ({ admin, org }, client, { keep }) =>
      withSecret(await admin.clients.rotateSecret(await org(), client, keep)),
  });
  verb<{ user: string; scope: readonly string[]; redirectUri?: string }>('grant', {
    description: 'Make a grant code for a user, as a self client gets one: good once and for three minutes.',
    argument: ONE,
    options: (command) =>
      command
        .requiredOption('--user <id>', 'whom the tokens act as')
        .requiredOption('--scope <scope>', 'such as ZohoCRM.modules.READ (repeatable)', several)
        .option('--redirect-uri <url>', 'the exchange must name the same'),
    examples: ['1000.DEV --user 3652397000000186017 --scope ZohoCRM.modules.ALL --scope ZohoCRM.notifications.ALL'],
    work: async ({ admin, org }, client, { user, scope, redirectUri }) => ({
      code: await admin.clients.makeGrant(await org(), client, {
        user,
        scopes: scope,
        ...(redirectUri !== undefined && { redirect_uri: redirectUri }),
      }),
    }),
  });
  verb('remove', {
    description: 'Remove a client with its tokens and the channels that it opened.',
    argument: ONE,
    examples: ['1000.DEV'],
    work: async ({ admin, org }, client) => admin.clients.remove(await org(), client),
  });
}

const withSecret = ({ client, client_secret }: { readonly client: object; readonly client_secret: string }) => ({
  ...client,
  client_secret,
});
