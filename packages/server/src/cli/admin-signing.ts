import type { Command } from 'commander';
import { declareNoun, type Session } from './admin-verb.ts';
import { integerFrom } from './arguments.ts';
import type { Run } from './declare.ts';
import { CliError } from './errors.ts';
import type { Environment } from './settings.ts';

interface Of {
  /** Generation of a channel; the organisation when absent. */
  readonly channel?: string;
}

const EXAMPLE = '--channel 3652397000010000042';
const ofChannel = (command: Command): Command =>
  command.option(
    '--channel <generation>',
    'one channel, by its generation, instead of all without a secret of their own',
  );

/** `watchbell signing …` */
export function declareSigning(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'signing',
    'Signatures of notifications (Standard Webhooks), for an organisation or for one channel.',
    run,
    env,
  );

  verb<Of>('show', {
    description: 'Whether notifications are signed, since when, and how long the former secret signs, too.',
    options: ofChannel,
    examples: ['', EXAMPLE],
    work: async ({ admin, org }, _, { channel }) => admin.signing.show(await org(), channel),
  });
  verb<Of>('on', {
    description: 'Sign from the next attempt on. The secret is shown once: receivers verify with it.',
    options: ofChannel,
    examples: ['', EXAMPLE],
    async work(session, _, of) {
      const org = await requireSigned(session, of, false, 'It is signed already: "rotate" makes a new secret.');
      return session.admin.signing.renew(org, { ...of });
    },
  });
  verb<Of & { keep?: number }>('rotate', {
    description: 'Make a new secret, shown once. The present one signs beside it for a while, a day unless said.',
    options: (command) =>
      ofChannel(command).option(
        '--keep <seconds>',
        'how long the present secret signs as well',
        integerFrom(0, 2_592_000),
      ),
    examples: ['', `${EXAMPLE} --keep 3600`],
    async work(session, _, { channel, keep }) {
      const of = { ...(channel !== undefined && { channel }) };
      const org = await requireSigned(session, of, true, 'It is not signed yet: "on" makes the first secret.');
      return session.admin.signing.renew(org, { ...of, ...(keep !== undefined && { keepSeconds: keep }) });
    },
  });
  verb<Of>('off', {
    description: 'Sign no more from the next attempt on; a channel is signed as its organisation has it.',
    options: ofChannel,
    examples: ['', EXAMPLE],
    async work({ admin, org }, _, { channel }) {
      await admin.signing.end(await org(), channel);
      return { status: 'ended' };
    },
  });
}

/** The organisation, once it or the channel is found as it should be. */
async function requireSigned(session: Session, of: Of, isSigned: boolean, refusal: string): Promise<string> {
  const org = await session.org();
  const { signed } = await session.admin.signing.show(org, of.channel);
  if (signed !== isSigned) throw new CliError(refusal);
  return org;
}
