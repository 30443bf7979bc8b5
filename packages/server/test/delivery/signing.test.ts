import { verify } from '@watchbell/client';
import { Webhook } from 'standardwebhooks';
import { afterEach, expect, test } from 'vitest';
import type { OrgId } from '../../src/domain/ids.ts';
import { emptyWrites } from '../../src/domain/working-set.ts';
import { failing, ok, type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';

const ORG = '3652397' as OrgId;
const DAY = 86_400_000;

const open: { stage?: Stage; receivers: Receiver[] } = { receivers: [] };
afterEach(async () => {
  await open.stage?.close();
  delete open.stage;
  await Promise.all(open.receivers.splice(0).map((receiver) => receiver.close()));
});

async function begin(options?: StageOptions): Promise<Stage> {
  open.stage = await setStage(options);
  return open.stage;
}
async function receiver(behaviour = ok): Promise<Receiver> {
  const started = await startReceiver(behaviour);
  open.receivers.push(started);
  return started;
}

const signatures = ({ headers }: Received): string[] =>
  String(headers['webhook-signature'] ?? '')
    .split(' ')
    .filter(Boolean);

/** Which of the secrets have signed it, by the library of receivers and by ours. */
async function signers(received: Received, secrets: Readonly<Record<string, string>>): Promise<string[]> {
  const found: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    const ours = await verify(received.text, received.headers, secret).then(
      () => true,
      () => false,
    );
    const theirs = (() => {
      try {
        new Webhook(secret).verify(received.text, received.headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    })();
    expect(ours).toBe(theirs);
    if (ours) found.push(name);
  }
  expect(signatures(received)).toHaveLength(found.length);
  return found;
}

test('nothing is signed until it is asked for, and no longer than it is', async () => {
  const stage = await begin();
  const well = await receiver();
  await stage.open('1', `${well.origin}/1`);
  await stage.change(1);
  await stage.delivery.idle();
  const { secret } = await stage.signatures.renew({ org: ORG }, DAY);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  await stage.change(2);
  await stage.delivery.idle();
  await stage.signatures.end({ org: ORG });
  await stage.change(3);
  await stage.delivery.idle();
  const came = await well.first(3);
  expect(came.map(signatures).map(({ length }) => length)).toEqual([0, 1, 0]);
  expect(await signers(came[1]!, { secret })).toEqual(['secret']);
});

test("a channel's own secret comes before its organisation's, and no other channel has it", async () => {
  const stage = await begin();
  const [first, second] = [await receiver(), await receiver()];
  const { generation } = await stage.open('1', `${first.origin}/1`);
  await stage.open('2', `${second.origin}/2`);
  const org = await stage.signatures.renew({ org: ORG }, DAY);
  const own = await stage.signatures.renew({ org: ORG, generation }, DAY);
  const secrets = { org: org.secret, own: own.secret };
  await stage.change(1);
  await stage.delivery.idle();
  expect(await signers(first.received[0]!, secrets)).toEqual(['own']);
  expect(await signers(second.received[0]!, secrets)).toEqual(['org']);
  await stage.signatures.end({ org: ORG, generation });
  await stage.change(2);
  await stage.delivery.idle();
  expect(await signers(first.received[1]!, secrets)).toEqual(['org']);
});

test('while a secret is rotated both sign; a third ends the first, and none before it comes back', async () => {
  const stage = await begin();
  const well = await receiver();
  await stage.open('1', `${well.origin}/1`);
  const first = await stage.signatures.renew({ org: ORG }, DAY);
  const second = await stage.signatures.renew({ org: ORG }, DAY);
  await stage.change(1);
  await stage.delivery.idle();
  const third = await stage.signatures.renew({ org: ORG }, DAY);
  await stage.change(2);
  await stage.delivery.idle();
  const fourth = await stage.signatures.renew({ org: ORG }, 0);
  await stage.change(3);
  await stage.delivery.idle();
  const secrets = { first: first.secret, second: second.secret, third: third.secret, fourth: fourth.secret };
  expect(await signers(well.received[0]!, secrets)).toEqual(['first', 'second']);
  expect(await signers(well.received[1]!, secrets)).toEqual(['second', 'third']);
  expect(await signers(well.received[2]!, secrets)).toEqual(['fourth']);
});

test('the former secret signs no more once its time is over, by real time', async () => {
  // The rotation was two hours ago.
  const stage = await begin({ realNow: () => Date.now() - 7_200_000 });
  const well = await receiver();
  const { generation } = await stage.open('1', `${well.origin}/1`);
  const of = { org: ORG, generation };
  const first = await stage.signatures.renew(of, DAY);
  const second = await stage.signatures.renew(of, 7_100_000);
  await stage.change(1);
  await stage.delivery.idle();
  const secrets = { first: first.secret, second: second.secret };
  expect(await signers(well.received[0]!, secrets)).toEqual(['second']);
  const third = await stage.signatures.renew(of, 7_300_000);
  await stage.change(2);
  await stage.delivery.idle();
  expect(await signers(well.received[1]!, { ...secrets, third: third.secret })).toEqual(['second', 'third']);
});

test('what waits for a retry is signed as it is when it is tried again', async () => {
  const stage = await begin();
  const ill = await receiver(failing);
  const { generation } = await stage.open('1', `${ill.origin}/1`);
  await stage.change(1);
  await stage.delivery.idle();
  const { secret: own } = await stage.signatures.renew({ org: ORG, generation }, DAY);
  stage.clock.advance(10_000);
  await ill.first(2);
  await stage.delivery.idle();
  await stage.signatures.end({ org: ORG, generation });
  const { secret: org } = await stage.signatures.renew({ org: ORG }, DAY);
  ill.behave(ok);
  stage.clock.advance(60_000);
  await ill.first(3);
  await stage.delivery.idle();
  const ids = ill.received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(1);
  expect(signatures(ill.received[0]!)).toEqual([]);
  expect(await signers(ill.received[1]!, { own, org })).toEqual(['own']);
  expect(await signers(ill.received[2]!, { own, org })).toEqual(['org']);
});

test('secrets outlive a restart', async () => {
  let stage = await begin();
  const well = await receiver();
  const { generation } = await stage.open('1', `${well.origin}/1`);
  await stage.open('2', `${well.origin}/2`);
  const { secret: own } = await stage.signatures.renew({ org: ORG, generation }, DAY);
  const { secret: org } = await stage.signatures.renew({ org: ORG }, DAY);
  stage = open.stage = await stage.restart();
  await stage.change(1);
  await stage.delivery.idle();
  const [first, second] = ['/1', '/2'].map((target) => well.received.find((came) => came.target === target));
  expect(await signers(first!, { own, org })).toEqual(['own']);
  expect(await signers(second!, { own, org })).toEqual(['org']);
});

test('while it cannot be read whether an organisation signs, nothing is sent; then it is sent signed', async () => {
  let stage = await begin();
  const well = await receiver();
  await stage.open('1', `${well.origin}/1`);
  const { secret } = await stage.signatures.renew({ org: ORG }, DAY);
  let reads = 0;
  stage = open.stage = await stage.restart({
    between: (store) => ({
      ...store,
      async signing(org) {
        reads += 1;
        if (reads <= 2) throw new Error('The disk fails');
        expect(well.received).toEqual([]);
        return store.signing(org);
      },
    }),
  });
  await stage.change(1, 2);
  await well.first(1);
  await stage.delivery.idle();
  expect(reads).toBe(3);
  expect(await signers(well.received[0]!, { secret })).toEqual(['secret']);
});

test('a secret that is made while the old one is being read is the one that signs', async () => {
  let stage = await begin();
  const well = await receiver();
  await stage.open('1', `${well.origin}/1`);
  const before = await stage.signatures.renew({ org: ORG }, DAY);
  let after: { secret: string } | undefined;
  stage = open.stage = await stage.restart({
    between: (store) => ({
      ...store,
      async signing(org) {
        const read = await store.signing(org);
        after ??= await open.stage?.signatures.renew({ org: ORG }, 0);
        return read;
      },
    }),
  });
  await stage.change(1);
  await stage.delivery.idle();
  const secrets = { before: before.secret, after: after?.secret ?? '' };
  expect(await signers(well.received[0]!, secrets)).toEqual(['after']);
});

test('after the store was lost, what was committed unseen signs', async () => {
  const stage = await begin();
  const well = await receiver();
  await stage.open('1', `${well.origin}/1`);
  await stage.change(1);
  await stage.delivery.idle();
  // A commit of which delivery was not told: its answer was lost with the store's thread.
  const elsewhere = { secret: `whsec_${Buffer.alloc(32, 9).toString('base64')}`, since: 0 };
  await stage.store.writing.inOrg(ORG, { orgSigning: true }, ({ counters }) => ({
    writes: { ...emptyWrites(counters), orgSigning: elsewhere },
    result: undefined,
  }));
  stage.delivery.recover();
  await stage.change(2);
  await stage.delivery.idle();
  expect(signatures(well.received[0]!)).toEqual([]);
  expect(await signers(well.received[1]!, { elsewhere: elsewhere.secret })).toEqual(['elsewhere']);
});
