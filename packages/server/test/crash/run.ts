import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { startLoad } from './load.ts';
import { startRecorder } from './recorder.ts';
import { type Verdict, verify, type Watched } from './verify.ts';

const CHANNELS = [
  { name: 'all', channelId: '1', events: ['Contacts.all'], operations: ['insert', 'update', 'delete'] },
  { name: 'edits', channelId: '2', events: ['Contacts.edit'], operations: ['update'] },
  {
    name: 'comings and goings',
    channelId: '3',
    events: ['Contacts.create', 'Contacts.delete'],
    operations: ['insert', 'delete'],
  },
];

export interface CrashRun extends Verdict {
  readonly kills: number;
  readonly acknowledged: number;
  readonly unanswered: number;
  /** Notifications that the store still calls pending at the end. */
  readonly pending: number;
}

/** Kills the server `kills` times at random moments under load, restarts it on its data, and holds what came against what was answered. */
export async function crashRun(kills: number, say: (line: string) => void): Promise<CrashRun> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-crash-'));
  const recorder = await startRecorder();
  let server: ServerProcess | undefined;
  try {
    server = await startServerProcess({ dataDir, port: 0 });
    const { base } = server;
    const port = Number(new URL(base).port);
    const token = await accessToken(base, readCredentials(dataDir));
    await openChannels(base, token, recorder.url);
    const load = startLoad(base, token, 8);
    for (let kill = 1; kill <= kills; kill += 1) {
      // At a random moment: after some more notifications have come, and a little later.
      const goal = recorder.arrivals.length + Math.floor(Math.random() * 300);
      await recorder.until(() => recorder.arrivals.length >= goal, 10_000);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      await server.kill('SIGKILL');
      server = await startServerProcess({ dataDir, port });
      say(
        `kill ${kill} of ${kills}: ${load.acknowledged.length} changes answered, ${recorder.arrivals.length} notifications came`,
      );
    }
    await load.stop();
    const complete = () => verify(watched(dataDir), recorder.arrivals, load.acknowledged).gaps.length === 0;
    await recorder.until(complete, 60_000);
    await server.kill('SIGTERM');
    const verdict = verify(watched(dataDir), recorder.arrivals, load.acknowledged);
    return {
      ...verdict,
      kills,
      acknowledged: load.acknowledged.length,
      unanswered: load.unanswered(),
      pending: readStore(dataDir, `SELECT count(*) AS n FROM notification WHERE state = 'pending'`)[0]?.n as number,
    };
  } finally {
    await server?.kill('SIGKILL');
    recorder.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export async function accessToken(base: string, credentials: Record<string, string>): Promise<string> {
  const { client_id, client_secret, refresh_token } = credentials;
  const form = { grant_type: 'refresh_token', client_id, client_secret, refresh_token } as Record<string, string>;
  const response = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  return ((await response.json()) as { access_token: string }).access_token;
}

async function openChannels(base: string, token: string, receiver: string): Promise<void> {
  const watch = CHANNELS.map(({ channelId, events }) => ({
    channel_id: channelId,
    events,
    notify_url: receiver,
    return_affected_field_values: true,
  }));
  const response = await fetch(`${base}/crm/v8/actions/watch`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${token}` },
    body: JSON.stringify({ watch }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}

/** The channels with the numbers that the store gave out. */
function watched(dataDir: string): Watched[] {
  const rows = readStore(dataDir, 'SELECT channel_id, generation, last_number FROM channel');
  return CHANNELS.map(({ name, channelId, operations }) => {
    const row = rows.find((candidate) => candidate.channel_id === channelId);
    return { name, operations, generation: String(row?.generation), lastNumber: Number(row?.last_number) };
  });
}

function readStore(dataDir: string, query: string): Record<string, unknown>[] {
  const db = new Database(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  try {
    return db.prepare(query).all() as Record<string, unknown>[];
  } finally {
    db.close();
  }
}
