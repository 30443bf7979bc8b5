import { expect, onTestFinished, test } from 'vitest';
import { createJournal } from '../crash/journal.ts';
import { startReceiver, well } from '../crash/receivers.ts';
import { verify } from '../crash/verify.ts';
import { CHANNEL_ID, callsOf, MODULES, wireOf } from './calls.ts';
import { clusterFacts } from './facts.ts';
import { type Made, replay } from './history.ts';
import { checkMatching, revisionsIn } from './matching.ts';
import { type Answered, type PairNode, startPair } from './pair.ts';
import { oneOf, seeded } from './random.ts';
import { copyTables } from './tables.ts';

const CALLS = 1000;
const HOUR_MS = 3_600_000;
const SEED = Number(process.env.WATCHBELL_TEST_SEED ?? Math.floor(Math.random() * 1e9));

const REQUIRED: Readonly<Record<string, object>> = {
  Leads: { Last_Name: 'Boyle', Company: 'Zylker' },
  Contacts: { Last_Name: 'Boyle' },
  Accounts: { Account_Name: 'Zylker' },
};

test(`one channel that is changed ${CALLS} times through two nodes at once is changed one call after the other, and each notification goes by it as it was then (seed ${SEED})`, {
  timeout: 240_000,
}, async () => {
  const random = seeded(SEED);
  const journal = createJournal();
  const receivers = [await startReceiver('one', well, journal), await startReceiver('two', well, journal)];
  onTestFinished(async () => {
    for (const receiver of receivers) await receiver.shut();
  });
  const pair = await startPair();
  onTestFinished(pair.close);
  const urls = receivers.map(({ url }) => url);
  const calls = callsOf(CALLS, random, urls, Math.floor(Date.now() / 1000) * 1000 + HOUR_MS);

  const answers: Answered[] = [];
  const made: Made[] = [];
  let isOver = false;
  async function change(node: PairNode): Promise<void> {
    for (let call = calls.shift(); call; call = calls.shift()) {
      const { method, path, body } = wireOf(call);
      const answer = await node.call(method, path, body);
      answers.push(answer);
      const { status } = (answer.body as { watch: { status: string }[] }).watch[0]!;
      made.push({ ...call, isDone: status === 'success', sent: answer.sent, answered: answer.answered });
    }
  }
  async function write(node: PairNode): Promise<void> {
    const ids: Record<string, string[]> = {};
    for (let serial = 0; !isOver; serial += 1) {
      const module = oneOf(Object.keys(MODULES), random);
      const own = ids[module] ?? [];
      ids[module] = own;
      const field = oneOf(MODULES[module] ?? [], random);
      const dice = random();
      if (own.length === 0 || dice < 0.3) {
        const data = [{ ...REQUIRED[module], [field]: `v${serial}` }, { ...REQUIRED[module] }];
        const answer = await node.call('POST', `v8/${module}`, { data });
        answers.push(answer);
        own.push(...(answer.body as { data: { details: { id: string } }[] }).data.map(({ details }) => details.id));
      } else if (dice < 0.9) {
        const data = [{ id: oneOf(own, random), [field]: `v${serial}` }];
        answers.push(await node.call('PUT', `v8/${module}`, { data }));
      } else answers.push(await node.call('DELETE', `v8/${module}?ids=${own.splice(0, 1).join()}`));
    }
  }
  const changing = Promise.all(pair.nodes.flatMap((node) => [change(node), change(node)])).finally(() => {
    isOver = true;
  });
  await Promise.all([changing, ...pair.nodes.flatMap((node) => [write(node), write(node)])]);
  for (const { app } of pair.nodes) await app.idle();

  expect([...new Set(answers.map(({ status }) => status))].sort()).toEqual([200, 201, 400]);
  const copy = await copyTables(pair.url);
  onTestFinished(copy.close);
  const { faults, last } = replay(revisionsIn(copy.query), made, Date.now());
  expect(faults).toEqual([]);
  const matching = checkMatching(copy.query);
  expect(matching.faults).toEqual([]);
  expect(matching.notifications).toBeGreaterThan(CALLS / 10);
  const { figures: _figures, ...verdict } = verify(clusterFacts(copy.query, 0, Date.now()), {
    ...{ arrivals: journal.arrivals, kills: [], acknowledged: [], maxAttempts: 1 },
  });
  expect(verdict).toEqual({ lost: [], gaps: [], disorder: [], wrong: [], unexplained: [] });
  for (const node of pair.nodes) {
    const { body } = await node.call('GET', `v8/actions/watch?channel_id=${CHANNEL_ID}`);
    const rows = (body as { watch: { channel_expiry: string }[] } | undefined)?.watch ?? [];
    expect([...new Set(rows.map((row) => Date.parse(row.channel_expiry)))]).toEqual(last ? [last.expiresAt] : []);
  }
});
