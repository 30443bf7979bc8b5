import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { declareChanges } from './admin-changes.ts';
import { declareChannels } from './admin-channels.ts';
import { declareClients } from './admin-clients.ts';
import { declareClock } from './admin-clock.ts';
import { declareExplain } from './admin-explain.ts';
import { declareFeed, declareRematches } from './admin-feed.ts';
import { declareNotices } from './admin-notices.ts';
import { declareAttempts, declareNotifications } from './admin-notifications.ts';
import { declareOrgs } from './admin-orgs.ts';
import { declareProfiles } from './admin-profiles.ts';
import { declareReplays } from './admin-replays.ts';
import { declareSigning } from './admin-signing.ts';
import { declareTokens } from './admin-tokens.ts';
import { declareUsers } from './admin-users.ts';
import { declareClientCommands } from './client-commands.ts';
import type { Run } from './declare.ts';
import { type ExitCode, judge } from './errors.ts';
import { note } from './output.ts';
import { declareServerCommands } from './server-commands.ts';
import type { Environment } from './settings.ts';

const ADMIN_NOUNS = [
  declareOrgs,
  declareUsers,
  declareProfiles,
  declareClients,
  declareTokens,
  declareChannels,
  declareNotifications,
  declareAttempts,
  declareChanges,
  declareFeed,
  declareRematches,
  declareReplays,
  declareNotices,
  declareSigning,
  declareClock,
  declareExplain,
];

/** All commands, with their help. */
export function createProgram(run: Run, env: Environment): Command {
  const program = new Command('watchbell')
    .description("A self-hosted Notification API, wire-compatible with Zoho CRM's.")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('Add --help to see how it is used.');
  declareServerCommands(program, run, env);
  declareClientCommands(program, run, env);
  for (const declare of ADMIN_NOUNS) declare(program, run, env);
  return program;
}

/** Runs the command that `args` name. Never throws: what went wrong is said on stderr and becomes the exit code. */
export async function runProgram(args: readonly string[], env: Environment): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const run: Run = async (work) => {
    exitCode = await work;
  };
  // A reader of the output that has left is no failure.
  process.stdout.on('error', () => undefined);
  try {
    await createProgram(run, env).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    const judged = judge(error);
    if (judged.said !== '') note(judged.said);
    return judged.exitCode;
  }
}
