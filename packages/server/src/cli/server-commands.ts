import type { Command } from 'commander';
import { examples, type Run } from './declare.ts';
import type { DevOptions } from './dev.ts';
import type { ServeOptions } from './serve.ts';
import { addSettings, type Environment } from './settings.ts';

type Options<Own> = Own & Readonly<Record<string, unknown>>;

/** Commands that open the store on this machine. */
export function declareServerCommands(program: Command, run: Run, env: Environment): void {
  declareDev(program, run, env);
  declareServe(program, run, env);
}

function declareDev(program: Command, run: Run, env: Environment): void {
  addSettings(program.command('dev'))
    .description(
      'Serve the dev profile: bound to loopback, embedded store, fixed credentials, a sample organisation with records. ' +
        'Prints lines to paste for a first notification.',
    )
    .option('--json', 'when ready, print one JSON object: base and credentials (a path)')
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
