import type { EventName } from '@watchbell/client';
import type { Command } from 'commander';
import { assignment, change, eventName, httpUrl, integerFrom, recordId, signingSecret } from './arguments.ts';
import { examples, type Run } from './declare.ts';
import type { DemoOptions } from './demo.ts';
import type { ListenOptions } from './listen.ts';
import { credentialsDirOption, type Environment } from './settings.ts';
import type { TriggerOptions } from './trigger.ts';

/** Commands that talk to a running server through its API. */
export function declareClientCommands(program: Command, run: Run, env: Environment): void {
  declareListen(program, run, env);
  declareTrigger(program, run, env);
  declareDemo(program, run, env);
}

function declareListen(program: Command, run: Run, env: Environment): void {
  addCredentials(program.command('listen'), env)
    .description(
      'Open a channel on event types, print each notification as it arrives, delete the channel on exit. ' +
        'The server must be allowed to reach this machine: the dev profile is, others by WATCHBELL_EGRESS_ALLOW.',
    )
    .argument('<event-types...>', 'Module.create, Module.edit, Module.delete or Module.all', eventName)
    .option(
      '--forward <url>',
      'POST each notification on, body and headers unchanged; its answer is passed back',
      httpUrl,
    )
    .option('--values', 'ask for the new values of changed fields')
    .option(
      '--secret <whsec_…>',
      'refuse what this signing secret did not sign (repeatable, while one is rotated)',
      signingSecret,
    )
    .option('--json', "print each notification's body, one JSON object a line")
    .addHelpText(
      'after',
      examples(
        'watchbell listen Contacts.all',
        'watchbell listen Deals.edit Leads.create --values --json',
        'watchbell listen Contacts.all --forward http://127.0.0.1:3000/webhooks/crm',
        'watchbell listen Contacts.all --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      ),
    )
    .action(async (events: readonly EventName[], options: ListenOptions) => {
      const { listen } = await import('./listen.ts');
      await run(listen(events, options));
    });
}

function declareTrigger(program: Command, run: Run, env: Environment): void {
  addCredentials(program.command('trigger'), env)
    .description('Make a plausible change through the API, so that whoever watches the module is notified.')
    .argument('<change>', 'Module.create, Module.edit or Module.delete', change)
    .option('--id <id>', 'record to edit or delete; the newest one when absent', recordId)
    .option('--set <Field=Value>', 'value of a field, by API name (repeatable)', assignment, [])
    .option('--count <number>', 'how many changes to make, one call each', integerFrom(1, 1000), 1)
    .option('--json', 'print each change as one JSON object a line')
    .addHelpText(
      'after',
      examples(
        'watchbell trigger Contacts.create',
        'watchbell trigger Deals.edit --set "Stage=Proposal/Price Quote"',
        'watchbell trigger Leads.create --set Company="Blue Fjord" --count 20',
        'watchbell trigger Notes.create --set Parent_Id=Leads/3652397000010000030',
        'watchbell trigger Contacts.delete --id 3652397000010000007',
      ),
    )
    .action(async ({ module, operation }: ReturnType<typeof change>, options: TriggerOptions) => {
      const { trigger } = await import('./trigger.ts');
      await run(trigger(module, operation, options));
    });
}

function declareDemo(program: Command, run: Run, env: Environment): void {
  addCredentials(program.command('demo'), env)
    .description(
      'Watch three modules, change records, print every notification, and exit 0 only if exactly the owed ones came. ' +
        'Uses the server that the credentials name, or starts one for the purpose.',
    )
    .option('--timeout <seconds>', 'how long to wait for what is owed', integerFrom(1, 600), 30)
    .option('--json', 'print the verdict as one JSON object')
    .addHelpText('after', examples('watchbell demo', 'watchbell demo --credentials ./credentials.json --json'))
    .action(async ({ timeout, ...options }: Omit<DemoOptions, 'timeoutMs'> & { readonly timeout: number }) => {
      const { demo } = await import('./demo.ts');
      await run(demo({ ...options, timeoutMs: timeout * 1000 }, env));
    });
}

function addCredentials(command: Command, env: Environment): Command {
  return command
    .addOption(credentialsDirOption(env))
    .option('--credentials <file>', 'credentials file; credentials.json in the data directory when absent')
    .option('--base <url>', 'origin of the server')
    .option('--client-id <text>', 'OAuth client id')
    .option('--client-secret <text>', 'OAuth client secret')
    .option('--refresh-token <text>', 'OAuth refresh token');
}
