import { at } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import type { World } from './story.ts';

const ORG = '3652397';

/** Makes notifications of some of what channels did not see, until no job of that is running. */
export async function rematch({ app, random, lives, people, progress }: World): Promise<void> {
  for (const { user, channelId, states, ended } of lives) {
    const owner = people.find(({ id }) => id === user);
    const state = states.at(-1);
    const isLive = !ended && state && !state.isSuspended && app.clock.now() < state.settings.expiresAt;
    if (!isLive || !owner || random() < 0.3) continue;
    await owner.caller.call('POST', `/_watchbell/v1/channels/${channelId}/rematches`, { all: true });
  }
  await app.app.idle();
  for (let running = await runningJobs(app); running.length > 0; running = await runningJobs(app)) {
    progress.at = `jobs ${JSON.stringify(running)}`;
    await tryAgain(app, running);
    const now = await runningJobs(app);
    // The clock stands still: what its receiver refuses makes no room.
    for (const { id, position } of now)
      if (running.some((before) => before.id === id && before.position === position)) await actOn(app, id, 'cancel');
    await app.app.idle();
  }
}

interface RunningJob {
  readonly id: string;
  readonly position: number;
}

async function runningJobs({ base }: World['app']): Promise<readonly RunningJob[]> {
  const { body } = await operatorOf(base)('GET', `/orgs/${ORG}/jobs?state=running&limit=200`);
  return (body as { jobs: RunningJob[] }).jobs;
}

/** Those that rest are looked at now. */
async function tryAgain(app: World['app'], jobs: readonly RunningJob[]): Promise<void> {
  for (const act of ['pause', 'resume'] as const) {
    for (const { id } of jobs) await actOn(app, id, act);
    await app.app.idle();
  }
}

/** One that has come to its end meanwhile is left as it is. */
async function actOn({ base }: World['app'], id: string, act: 'pause' | 'resume' | 'cancel'): Promise<void> {
  const { status, body } = await operatorOf(base)('POST', `/orgs/${ORG}/jobs/${id}/${act}`);
  const isOver = status === 400 && ['done', 'failed'].includes(at(body, 'details', 'state'));
  if (status !== 200 && !isOver) throw new Error(`${act} answered ${status}: ${JSON.stringify(body)}`);
}
