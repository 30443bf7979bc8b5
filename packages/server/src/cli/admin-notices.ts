import { type Command, InvalidArgumentError } from 'commander';
import { declareNoun, type PageOptions, pageOf, pageOptions } from './admin-verb.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const STATES = ['pending', 'delivered', 'parked'] as const;
const COLUMNS = ['id', 'type', 'channel_id', 'at', 'state', 'attempts', 'next_attempt_at', 'outcome', 'status'];

interface ListOptions extends PageOptions {
  readonly channel?: string;
  readonly state?: (typeof STATES)[number];
}

/** Commands on what is told of the life of channels, and where. */
export function declareNotices(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'notices',
    'What was told of the life of channels: that they expire, were suspended or resumed, or missed something.',
    run,
    env,
  );

  verb<ListOptions>('list', {
    description: 'List what was told, newest first, and what became of it.',
    options: (command) =>
      pageOptions(
        command
          .option('--channel <generation>', 'only of this channel')
          .option('--state <state>', 'pending, delivered or parked (given up)', stateOf),
      ),
    columns: COLUMNS,
    examples: ['', '--state parked', '--channel 3652397000010000042 --limit 10'],
    work: async ({ admin, org }, _, { channel, state, ...page }) =>
      admin.notices(await org()).list({
        ...(channel !== undefined && { channel }),
        ...(state !== undefined && { state }),
        ...pageOf(page),
      }),
  });
  verb('redeliver', {
    description: 'Send one again, from the first attempt on.',
    argument: ['<notice>', 'its id, as list shows it'],
    examples: ['ntc_3652397_7_0_mk0xw2o0'],
    async work({ admin, org }, notice) {
      const { body: _, ...shown } = await admin.notices(await org()).redeliver(notice);
      return shown;
    },
  });
  verb('where', {
    description: 'Show where the organisation is told of channels without a life-cycle URL of their own.',
    examples: [''],
    work: async ({ admin, org }) => admin.lifecycle.show(await org()),
  });
  verb('tell', {
    description: 'Tell of the life of channels without a URL of their own there, from the next event on.',
    argument: ['<url>', 'that notices are POSTed to; http or https'],
    examples: ['https://ops.example.com/watchbell'],
    work: async ({ admin, org }, url) => admin.lifecycle.change(await org(), url),
  });
  verb('hush', {
    description: 'Tell the organisation of nothing; channels with a URL of their own go on.',
    examples: [''],
    work: async ({ admin, org }) => admin.lifecycle.change(await org(), null),
  });
}

function stateOf(text: string): (typeof STATES)[number] {
  const state = STATES.find((one) => one === text);
  if (state) return state;
  throw new InvalidArgumentError(`It must be one of ${STATES.join(', ')}.`);
}
