import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pool } from 'undici';
import { bodyOf } from '../event.ts';
import { monotonicMicros } from '../processes.ts';
import { type Sink, startSink } from '../sink.ts';

let sink: Sink;
let pool: Pool;

before(async () => {
  sink = await startSink({ origins: 300 });
  pool = new Pool(sink.origins[0] ?? '', { connections: 4 });
});

after(async () => {
  await pool.destroy();
  await sink.close();
});

async function post(path: string, id: string, body = bodyOf(0)): Promise<number> {
  const answer = await pool.request({ method: 'POST', path, headers: { 'webhook-id': id }, body });
  await answer.body.dump();
  return answer.statusCode;
}

test('what comes to /ok is counted by its webhook-id, and what comes twice once more', async () => {
  await sink.reset();
  const began = monotonicMicros();
  for (const id of ['a', 'b', 'a']) assert.equal(await post('/ok/1', id), 200);
  assert.equal(await post('/fail', 'c'), 503);
  const { requests, distinct, duplicates, firstAt, lastAt } = await sink.counts();
  assert.deepEqual({ requests, distinct, duplicates }, { requests: 3, distinct: 2, duplicates: 1 });
  assert.ok(began < firstAt && firstAt < lastAt && lastAt < monotonicMicros());
});

test('many at once are all counted, at every origin', async () => {
  await sink.reset();
  const last = new Pool(sink.origins[299] ?? '', { connections: 2 });
  const answers = Array.from({ length: 2000 }, (_, i) => post('/ok', `one-${i}`));
  const others = Array.from({ length: 10 }, async (_, i) => {
    const headers = { 'webhook-id': `other-${i}` };
    const answer = await last.request({ method: 'POST', path: '/ok', headers, body: 'x'.repeat(100_000) });
    await answer.body.dump();
  });
  const reached = sink.has(2010);
  await Promise.all([...answers, ...others]);
  assert.equal((await reached).distinct, 2010);
  await last.destroy();
});

test('it notes when each serial comes first', async () => {
  await sink.reset();
  await sink.keepMoments(5, 3);
  const began = monotonicMicros();
  await post('/ok', 'a', bodyOf(6));
  const between = monotonicMicros();
  await post('/ok', 'b', bodyOf(6));
  await post('/ok', 'c', bodyOf(4));
  await post('/ok', 'd', bodyOf(8));
  const [five, six = 0, seven, ...more] = await sink.moments();
  assert.ok(Number.isNaN(five) && Number.isNaN(seven) && more.length === 0);
  assert.ok(began < six && six < between);
});

test('who waits for more than comes is told how much has come', async () => {
  await sink.reset();
  await post('/ok', 'a');
  await assert.rejects(sink.has(2, 10), /1 of 2 notifications have come/);
});

test('a request without an id is refused, and nobody may count on what was counted', async () => {
  await sink.reset();
  const answer = await pool.request({ method: 'POST', path: '/ok', body: 'x' });
  await answer.body.dump();
  assert.equal(answer.statusCode, 400);
  await assert.rejects(sink.counts(), /no POST with a webhook-id/);
});

test('what hangs is never answered', async () => {
  const never = new AbortController();
  const hanging = pool.request({
    method: 'POST',
    path: '/hang',
    headers: { 'webhook-id': 'a' },
    body: 'x',
    signal: never.signal,
  });
  await sink.reset();
  assert.equal(await post('/ok', 'b'), 200);
  never.abort();
  await assert.rejects(hanging, { name: 'AbortError' });
});
