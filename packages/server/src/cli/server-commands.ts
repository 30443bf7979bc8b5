import type { Command } from 'commander';
import type { BackupOptions } from './backup.ts';
import { examples, type Run } from './declare.ts';
import type { DevOptions } from './dev.ts';
import type { DoctorOptions } from './doctor.ts';
import type { MigrateOptions } from './migrate.ts';
import type { MigrateStoreOptions } from './migrate-store.ts';
import type { RestoreOptions } from './restore.ts';
import type { ServeOptions } from './serve.ts';
import { addSettings, credentialsDirOption, type Environment } from './settings.ts';
import type { SetupOptions } from './setup.ts';

/** What opening the store of a configuration needs. */
const STORE_SETTINGS = ['publicUrl', 'dataDir', 'databaseUrl', 'secretKey', 'formerSecretKeys', 'logLevel'] as const;

type Options<Own> = Own & Readonly<Record<string, unknown>>;

/** Commands that open the store on this machine. */
export function declareServerCommands(program: Command, run: Run, env: Environment): void {
  declareDev(program, run, env);
  declareServe(program, run, env);
  declareSetup(program, run, env);
  declareMigrate(program, run, env);
  declareMigrateStore(program, run, env);
  declareDoctor(program, run, env);
  declareBackup(program, run, env);
  declareRestore(program, run, env);
}

function declareDev(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('dev'))
    .description(
      'Serve the dev profile: bound to loopback, fixed credentials, a sample organisation with records. ' +
        'Prints lines to paste for a first notification.',
    )
    .option('--json', 'when ready, print one JSON object: base and credentials (a path)')
    .option(
      '--restored',
      'the store was put there from a copy by other means than "watchbell restore": numbers begin anew; for one start of one node',
    )
    .addHelpText(
      'after',
      examples('watchbell dev', 'watchbell dev --port 0 --data-dir /tmp/try --time-zone Asia/Kolkata'),
    )
    .action(async (options: Options<DevOptions>) => {
      const { dev } = await import('./dev.ts');
      await run(dev(options, env));
    });
}

function declareServe(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('serve'))
    .description('Serve the production profile. Assumes nothing: says what it needs before it starts.')
    .option('--json', 'when ready, print one JSON object: base')
    .option(
      '--restored',
      'the store was put there from a copy by other means than "watchbell restore": numbers begin anew; for one start of one node',
    )
    .addHelpText(
      'after',
      examples(
        'WATCHBELL_SECRET_KEY=$(cat key) watchbell serve --public-url https://watchbell.example.com',
        'watchbell serve --data-dir /var/lib/watchbell --port 8686   # with the rest in the environment',
      ),
    )
    .action(async (options: Options<ServeOptions>) => {
      const { serve } = await import('./serve.ts');
      await run(serve(options, env));
    });
}

function declareSetup(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('setup'), STORE_SETTINGS)
    .description(
      'Make an organisation with its first user, OAuth client and admin token in the store of the production profile. ' +
        'With the embedded store the server must not be running. Secrets are shown once.',
    )
    .requiredOption('--org <name>', 'name of the organisation')
    .requiredOption('--email <address>', "the user's e-mail address")
    .requiredOption('--last-name <name>', "the user's last name")
    .option('--first-name <name>', "the user's first name", '')
    .option('--time-zone <name>', "the organisation's IANA time zone", 'UTC')
    .option('--client <name>', 'name of the OAuth client', 'First client')
    .option('--json', 'print one JSON object: base, client_id, client_secret, refresh_token, admin_token')
    .addHelpText(
      'after',
      examples(
        'watchbell setup --org Zylker --email ada@example.com --last-name Lovelace',
        'watchbell setup --json --org Zylker --email ada@example.com --last-name Lovelace > credentials.json',
      ),
    )
    .action(async (options: Options<SetupOptions>) => {
      const { setup } = await import('./setup.ts');
      await run(setup(options, env));
    });
}

function declareMigrate(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('migrate'), STORE_SETTINGS)
    .description("Bring the store's schema up to date. Starting a server does the same; this does it beforehand.")
    .option('--check', 'only look; exit 1 when migrations are pending')
    .option('--dev', 'of the dev profile')
    .option('--json', 'print one JSON object: applied and pending')
    .addHelpText('after', examples('watchbell migrate --check', 'watchbell migrate --data-dir /var/lib/watchbell'))
    .action(async (options: Options<MigrateOptions>) => {
      const { migrate } = await import('./migrate.ts');
      await run(migrate(options, env));
    });
}

function declareMigrateStore(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('migrate-store'), STORE_SETTINGS)
    .description(
      'Copy the embedded store of the data directory into the PostgreSQL database, which must hold nothing, and compare all ' +
        'of it. No server may be running. Afterwards the embedded store is not served any more.',
    )
    .option('--dev', 'of the dev profile')
    .option('--json', 'print one JSON object: place, done_before, counters and tables')
    .addHelpText(
      'after',
      examples(
        'watchbell migrate-store --data-dir /var/lib/watchbell --database-url postgres://watchbell@db/watchbell',
        'WATCHBELL_DATABASE_URL=postgres://… watchbell migrate-store --json   # with the rest in the environment',
      ),
    )
    .action(async (options: Options<MigrateStoreOptions>) => {
      const { migrateStore } = await import('./migrate-store.ts');
      await run(migrateStore(options, env));
    });
}

function declareDoctor(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('doctor'))
    .description(
      'Look at what keeps a server from running: Node, configuration, data directory, clock, database, server, store.',
    )
    .option('--dev', 'of the dev profile')
    .option('--json', 'print one JSON object: ok and checks')
    .addHelpText('after', examples('watchbell doctor --dev', 'watchbell doctor --json'))
    .action(async (options: Options<DoctorOptions>) => {
      const { doctor } = await import('./doctor.ts');
      await run(doctor(options, env));
    });
}

function declareBackup(program: Command, run: Run, env: Environment): void {
  program
    .command('backup')
    .description(
      'Copy the embedded store as it is at one moment into a new file, checked, while the server runs or not. ' +
        'PostgreSQL has its own means (docs/operations.md).',
    )
    .requiredOption('--to <file>', 'file to write; refused when it is there')
    .addOption(credentialsDirOption(env, 'directory of the store'))
    .option('--json', 'print one JSON object: file, bytes, committed_at, organisations and changes')
    .addHelpText(
      'after',
      examples(
        'watchbell backup --to /backups/watchbell-$(date +%F).sqlite',
        'watchbell backup --data-dir /var/lib/watchbell --to /backups/now.sqlite --json',
      ),
    )
    .action(async (options: BackupOptions) => {
      const { backup } = await import('./backup.ts');
      await run(backup(options, env));
    });
}

function declareRestore(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('restore'), STORE_SETTINGS)
    .description(
      'Put a backup as the embedded store into an empty data directory. Numbers that its original gave since are not given again.',
    )
    .requiredOption('--from <file>', 'the backup')
    .option('--dev', 'of the dev profile; its secret.key must be in the data directory')
    .option('--json', 'print one JSON object: file, bytes, committed_at, organisations and changes')
    .addHelpText('after', examples('watchbell restore --from /backups/now.sqlite --data-dir /var/lib/watchbell-2'))
    .action(async (options: Options<RestoreOptions>) => {
      const { restore } = await import('./restore.ts');
      await run(restore(options, env));
    });
}
