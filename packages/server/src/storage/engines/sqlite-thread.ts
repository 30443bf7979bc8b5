import { parentPort, workerData } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { StoreRefusal } from '../refusal.ts';
import { readMigrations } from './migrations.ts';
import { createCommands } from './sqlite-commands.ts';
import type { Reply, Request, ThreadOptions } from './sqlite-message.ts';
import { migrate } from './sqlite-migrations.ts';
import { openForReading, openForWriting } from './sqlite-open.ts';

// Entry of both threads. Whatever waits when a turn begins is taken at once, and all its writes share a commit.

const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread');
const options = workerData as ThreadOptions;
const reply = (message: Reply): void => port.postMessage(message);

try {
  serve(options.role === 'storage' ? openStorage() : { db: openForReading(options.dataDir), migrated: [] });
} catch (error) {
  const code = error instanceof StoreRefusal ? error.code : 'CANNOT_OPEN';
  const where = error instanceof StoreRefusal ? '' : `Cannot open the store in ${options.dataDir}: `;
  reply({ kind: 'refused', code, message: where + (error instanceof Error ? error.message : String(error)) });
  port.close();
}

interface Opened {
  readonly db: Database;
  readonly migrated: readonly string[];
}

function openStorage(): Opened {
  const db = openForWriting(options.dataDir, options.isReopening);
  return { db, migrated: migrate(db, readMigrations('sqlite'), Date.now()) };
}

function serve({ db, migrated }: Opened): void {
  const commands = createCommands(db);
  const waiting: Request[] = [];
  let scheduled = false;

  function turn(): void {
    scheduled = false;
    const closing = waiting.some(({ kind }) => kind === 'close');
    for (const answer of commands.answer(waiting.splice(0).filter((request) => request.kind !== 'close'))) {
      reply(answer);
    }
    if (!closing) return;
    db.close();
    port?.close();
  }

  port?.on('message', (requests: readonly Request[]) => {
    for (const request of requests) waiting.push(request);
    if (scheduled) return;
    scheduled = true;
    // After the messages that have arrived meanwhile.
    setImmediate(turn);
  });
  reply({ kind: 'ready', migrated });
}
