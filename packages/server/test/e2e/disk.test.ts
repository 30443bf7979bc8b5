import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';

import { DISK_FAULTS, type DiskFault, type FaultyDisk } from '../support/faulty-disk.ts';
import { ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { signIn } from '../support/writing.ts';

// About the embedded store alone: a disk that fills up or goes read-only.

const PATIENT = { timeout: 10_000 };

interface Stage {
  readonly disk: FaultyDisk;
  server: ServerProcess;
  readonly receiver: Receiver;
  readonly call: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly create: () => Promise<Response>;
  readonly sequences: () => number[];
}

async function begin(fault: DiskFault): Promise<Stage> {
  const disk = fault.make();
  onTestFinished(() => disk.remove());
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const server = await startServerProcess({ dataDir: disk.dataDir, port: 0 });
  const token = await signIn(server.base, readCredentials(disk.dataDir));
  const stage: Stage = {
    disk,
    server,
    receiver,
    call: (method, path, body) =>
      fetch(`${stage.server.base}${path}`, {
        method,
        headers: { authorization: `Zoho-oauthtoken ${token}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    create: () => stage.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'Boyle', Company: 'x'.repeat(200) }] }),
    sequences: () => receiver.received.map(({ headers }) => Number(headers['watchbell-sequence'])),
  };
  onTestFinished(async () => void (await stage.server.kill('SIGKILL')));
  const watch = [{ channel_id: '1', events: ['Leads.create'], notify_url: receiver.origin }];
  expect((await stage.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
  expect((await stage.create()).status).toBe(201);
  await receiver.first(1);
  return stage;
}

const pidOf = ({ server }: Stage): number => server.process.pid ?? 0;
const readiness = async ({ server }: Stage) => {
  const response = await fetch(`${server.base}/readyz`);
  return { status: response.status, body: (await response.json()) as object };
};

function rowsOf({ disk }: Stage, text: string): unknown[] {
  const db = new Sqlite(join(disk.dataDir, 'watchbell.sqlite'), { readonly: true });
  try {
    return db.prepare(text).all();
  } finally {
    db.close();
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe.each(DISK_FAULTS)('when $name', (fault) => {
  if (fault.lacks !== undefined) process.stdout.write(`skipped: ${fault.name}: ${fault.lacks}\n`);

  test.skipIf(fault.lacks !== undefined)(
    'writes are answered 503, reads go on, what was delivered is saved later, and it recovers by itself',
    async () => {
      const stage = await begin(fault);
      const held: ServerResponse[] = [];
      stage.receiver.behave((_request, response) => void held.push(response));
      expect((await stage.create()).status).toBe(201);
      await stage.receiver.first(2);

      stage.disk.break(pidOf(stage));
      for (const answer of [await stage.create(), await stage.create()]) {
        expect(answer.status).toBe(503);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(await answer.json()).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      }
      const list = await stage.call('GET', '/crm/v8/Leads?fields=Last_Name');
      expect(list.status).toBe(200);
      expect(await readiness(stage)).toMatchObject({
        status: 503,
        body: { reason: expect.stringMatching(/disk|full/) },
      });
      // Answered now, and it cannot be saved: it is kept, and not sent again.
      held[0]?.end();
      stage.receiver.behave(ok);
      await expect.poll(() => stage.server.log(), PATIENT).toContain('outcomes cannot be saved, trying again');

      stage.disk.mend(pidOf(stage));
      await expect.poll(async () => (await readiness(stage)).status, PATIENT).toBe(200);
      expect((await stage.create()).status).toBe(201);
      await stage.receiver.first(3);
      expect(await stage.server.kill('SIGTERM')).toBe(0);
      expect(stage.sequences()).toEqual(numbers(3));
      expect(rowsOf(stage, 'SELECT number, state, attempts_made FROM notification ORDER BY number')).toEqual(
        numbers(3).map((number) => ({ number, state: 'delivered', attempts_made: 1 })),
      );
      expect(rowsOf(stage, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    },
  );

  test.skipIf(fault.lacks !== undefined)('a server that is killed then loses nothing that it answered', async () => {
    const stage = await begin(fault);
    stage.receiver.behave(() => undefined);
    expect((await stage.create()).status).toBe(201);
    await stage.receiver.first(2);
    stage.disk.break(pidOf(stage));
    expect((await stage.create()).status).toBe(503);
    await stage.server.kill('SIGKILL');
    stage.disk.mend(process.pid);
    stage.receiver.behave(ok);
    stage.server = await startServerProcess({ dataDir: stage.disk.dataDir, port: 0 });
    await stage.receiver.first(3);
    // The one in the air when it was killed comes again, with its number.
    expect(stage.sequences()).toEqual([1, 2, 2]);
    expect((await stage.create()).status).toBe(201);
    await stage.receiver.first(4);
    expect(stage.sequences().at(-1)).toBe(3);
    await stage.server.kill('SIGTERM');
    expect(rowsOf(stage, 'SELECT number, state FROM notification ORDER BY number')).toEqual(
      numbers(3).map((number) => ({ number, state: 'delivered' })),
    );
  });
});
