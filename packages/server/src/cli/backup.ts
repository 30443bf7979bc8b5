import { resolve } from 'node:path';
import { backUp, type CopyFacts } from '../maintenance.ts';
import { SETTINGS } from '../settings.ts';
import { CliError, type ExitCode } from './errors.ts';
import { note, print, printJson, table } from './output.ts';
import type { Environment } from './settings.ts';

export interface BackupOptions {
  readonly to: string;
  readonly dataDir: string;
  readonly json?: boolean;
}

/** Copies the store as it is at one moment into a new file, also beside a running server. */
export async function backup(options: BackupOptions, env: Environment): Promise<ExitCode> {
  if (env[SETTINGS.databaseUrl.env]) {
    throw new CliError(
      `${SETTINGS.databaseUrl.env} is set: what is served is a PostgreSQL database, which is backed up by PostgreSQL's own ` +
        'means (pg_basebackup with an archive of its WAL, or pg_dump; docs/operations.md). To copy an embedded store, unset it.',
    );
  }
  const file = resolve(options.to);
  showCopy(file, await backUp(resolve(options.dataDir), file), options.json);
  if (!options.json) note('Keep the secret key elsewhere: the copy does not hold it and cannot be used without it.');
  return 0;
}

/** What a copy holds, for people or as one JSON object. */
export function showCopy(file: string, facts: CopyFacts, asJson: boolean | undefined): void {
  const { bytes, organisations, changes, committedAt } = facts;
  const at = committedAt === undefined ? null : new Date(committedAt).toISOString();
  const rows = [
    ['file', file],
    ['bytes', String(bytes)],
    ['committed until', at ?? '–'],
    ['organisations', String(organisations)],
    ['changes', String(changes)],
  ];
  if (asJson) printJson({ file, bytes, committed_at: at, organisations, changes });
  else print(table(rows));
}
