import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from '../support/server-process.ts';
import { factsOf } from './facts.ts';
import { type Acknowledged, type Client, startLoad } from './load.ts';
import { type Query, readStore } from './store-copy.ts';
import { type Verdict, verify } from './verify.ts';
import { createWorld, MAX_ATTEMPTS, storeOf, type World } from './world.ts';

export interface BackupRun extends Verdict {
  /** Kills while a part of the copy was there, of the server and of the backup. */
  readonly ofServer: number;
  readonly ofBackup: number;
  /** Backups that ended well although their server was killed. */
  readonly whole: number;
  readonly faults: readonly string[];
}

const CHANNELS = ['well', 'slow', 'flaky', 'busy', 'gate'];
/** Calls of 100 records each: so large that copying takes a while. With many kills, so large that it takes several steps. */
const FILL = 40;
const MORE_FILL = 200;

/** Kills the server, and in turn the backup itself, while the copy grows under load. */
export async function backupRun(kills: number, say: (line: string) => void): Promise<BackupRun> {
  const world = await createWorld(CHANNELS);
  const backups = mkdtempSync(join(tmpdir(), 'watchbell-backups-'));
  const { client, journal } = world;
  const faults: string[] = [];
  let ofServer = 0;
  let ofBackup = 0;
  let whole = 0;
  try {
    await fill(client, kills > 2 ? MORE_FILL : FILL);
    const load = startLoad(client, 6, 20);
    for (let kill = 0; kill < kills; kill += 1) {
      const known = client.acknowledged.length;
      const file = join(backups, `${kill}.sqlite`);
      const backup = startBackup(world, file);
      const size = await untilGrowing(backup.process, backups, kill);
      const isOfServer = kill % 2 === 0;
      if (size === undefined) faults.push(`backup ${kill} ended before it was seen`);
      else if (isOfServer) ofServer += 1;
      else ofBackup += 1;
      if (isOfServer) {
        world.kill('backing up');
        await world.restart();
      } else backup.process.kill('SIGKILL');
      const code = await backup.ended;
      if (isOfServer && code !== 0) faults.push(`backup ${kill} ended with ${code} when its server was killed`);
      if (!isOfServer && code === null && existsSync(file)) faults.push(`backup ${kill} was killed and is there`);
      if (code === 0) {
        whole += 1;
        faults.push(...missingIn(file, client.acknowledged.slice(0, known)));
      }
      say(
        `kill ${kill + 1} of ${kills} of the ${isOfServer ? 'server' : 'backup'} at ${size ?? 0} bytes: ` +
          `the backup ${code === 0 ? 'is whole' : 'is not there'}`,
      );
    }
    await load.stop();
    await world.settled(60_000);
    await world.server().kill('SIGTERM');
    const facts = readStore(storeOf(world.dataDir), (query) => factsOf(query, world.opened));
    const verdict = verify(facts, { ...journal, acknowledged: client.acknowledged, maxAttempts: MAX_ATTEMPTS });
    return { ...verdict, ofServer, ofBackup, whole, faults };
  } finally {
    await world.close();
    rmSync(backups, { recursive: true, force: true });
  }
}

/** With records of a module that nobody watches. */
async function fill(client: Client, calls: number): Promise<void> {
  await Promise.all(Array.from({ length: calls }, () => client.insert('Vendors', 100)));
}

interface Backup {
  readonly process: ChildProcess;
  /** Its exit code; null when it was killed. */
  readonly ended: Promise<number | null>;
}

function startBackup({ dataDir }: World, to: string): Backup {
  const args = [BIN, 'backup', '--data-dir', dataDir, '--to', to];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  return { process: child, ended: once(child, 'exit').then(([code]) => code as number | null) };
}

/** Resolves with the size of the part that is there, as soon as there is one; undefined when it ended before. */
async function untilGrowing(child: ChildProcess, directory: string, kill: number): Promise<number | undefined> {
  while (child.exitCode === null) {
    for (const name of readdirSync(directory)) {
      if (!name.startsWith(`${kill}.sqlite.part`) || name.includes('-journal')) continue;
      const size = statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
      if (size > 0) return size;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

/** What was answered before the backup began is in it, and it is sound. */
function missingIn(file: string, acknowledged: readonly Acknowledged[]): string[] {
  return readStore(file, (query: Query) => {
    const verdict = String(query('PRAGMA integrity_check')[0]?.integrity_check);
    const logged = new Set(
      factsOf(query, 0).changes.flatMap(({ operation, records }) => records.map(({ id }) => `${operation} ${id}`)),
    );
    const missing = acknowledged.filter(({ operation, id }) => !logged.has(`${operation} ${id}`));
    return [
      ...(verdict === 'ok' ? [] : [`${file}: ${verdict}`]),
      ...missing.map(({ operation, id }) => `${file} lacks ${operation} of ${id}`),
    ];
  });
}
