import type { AdvancedClock, Clock, ClockMove } from '@watchbell/client';
import type { Command } from 'commander';
import { declareNoun } from './admin-verb.ts';
import type { Run } from './declare.ts';
import type { Environment } from './settings.ts';

const HOW_FAR = ['<how-far>', 'a duration such as 90s, 2h or 1d12h, or a time such as 2026-01-31T12:00:00Z'] as const;

/** Commands on the clock of a server that runs in the dev profile. */
export function declareClock(program: Command, run: Run, env: Environment): void {
  const verb = declareNoun(
    program,
    'clock',
    'Freeze and move the clock of the dev profile, by which channels expire and retries fall due.',
    run,
    env,
  );

  verb('show', {
    description: 'Show the clock, and when the next retry or turn of housekeeping is due.',
    isDefault: true,
    isAboutOrgs: true,
    examples: [''],
    work: ({ admin }) => admin.clock.show(),
  });
  verb('freeze', {
    description: 'Stop the clock where it stands: nothing expires and no retry falls due.',
    isAboutOrgs: true,
    examples: [''],
    work: ({ admin }) => admin.clock.freeze(),
  });
  verb('set', {
    description: 'Set the clock forward at once: all that lies between falls due together.',
    argument: HOW_FAR,
    isAboutOrgs: true,
    examples: ['2h', '2030-01-31T12:00:00Z'],
    work: ({ admin }, howFar) => admin.clock.set(moveOf(howFar)),
  });
  verb('advance', {
    description: 'Move the clock on step by step, and await the attempts of each retry that falls due on the way.',
    argument: HOW_FAR,
    isAboutOrgs: true,
    examples: ['1h', '7d', '2030-01-31T12:00:00Z'],
    work: ({ admin }, howFar) => advance(admin.clock, moveOf(howFar)),
  });
  verb('resume', {
    description: 'Let the clock tick on from where it stands.',
    isAboutOrgs: true,
    examples: [''],
    work: ({ admin }) => admin.clock.resume(),
  });
}

const moveOf = (howFar: string): ClockMove => (/^(\d+[dhms])+$/.test(howFar) ? { by: howFar } : { to: howFar });

/** Calls without a step before it is given up: something is always under way. */
const MOST_IDLE_CALLS = 10;

/** Goes on where the server stopped because of the time it took. */
async function advance(clock: Clock, move: ClockMove): Promise<AdvancedClock> {
  let answer = await clock.advance(move);
  let steps = answer.steps;
  for (let idle = 0; answer.stopped_by === 'time' && idle < MOST_IDLE_CALLS; ) {
    answer = await clock.advance({ to: answer.target });
    steps += answer.steps;
    idle = answer.steps > 0 ? 0 : idle + 1;
  }
  return { ...answer, steps };
}
