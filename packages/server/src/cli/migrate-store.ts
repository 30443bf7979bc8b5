import { type MoveFacts, type MoveProgress, moveIntoDatabase } from '../maintenance.ts';
import { CliError, type ExitCode } from './errors.ts';
import { note, print, printJson, table } from './output.ts';
import { type Environment, readConfig } from './settings.ts';

export interface MigrateStoreOptions {
  readonly dev?: boolean;
  readonly json?: boolean;
}

/** Copies the embedded store into the database that the configuration names. */
export async function migrateStore(
  options: MigrateStoreOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const config = readConfig(options.dev ? 'dev' : 'production', options, env);
  if (!config.database) {
    throw new CliError('WATCHBELL_DATABASE_URL (--database-url) has to name the database to move into', 2);
  }
  const facts = await moveIntoDatabase(config, progressLines(note, () => performance.now()));
  if (options.json) printJson(asJson(facts));
  else show(facts, config.dataDir);
  return 0;
}

const asJson = ({ place, doneBefore, counters, tables }: MoveFacts) => ({
  place,
  done_before: doneBefore === undefined ? null : new Date(doneBefore).toISOString(),
  counters: counters ?? null,
  tables,
});

function show({ place, doneBefore, counters, tables }: MoveFacts, dataDir: string): void {
  if (doneBefore !== undefined) {
    print(`Moved to ${place} at ${new Date(doneBefore).toISOString()} already; nothing was done.`);
    return;
  }
  print(table([['table', 'rows', 'sha256'], ...tables.map(({ name, rows, sha256 }) => [name, String(rows), sha256])]));
  print(table(Object.entries(counters ?? {}).map(([name, value]) => [name, String(value)])));
  note(`All of it was read again from ${place} and is the same. Serve that; ${dataDir} is not served any more.`);
}

const EVERY_MS = 5000;

/** A line every few seconds, so that a short move says nothing. `now` in milliseconds. */
export function progressLines(say: (line: string) => void, now: () => number): (progress: MoveProgress) => void {
  let since = now();
  let told = since;
  let doing: MoveProgress['doing'] | undefined;
  return (progress) => {
    const { rows, ofRows } = progress;
    const isNew = progress.doing !== doing;
    // The time is not asked for with every row.
    if (!isNew && rows % 256 !== 0) return;
    const at = now();
    if (isNew) since = at;
    doing = progress.doing;
    if (at - told < EVERY_MS) return;
    told = at;
    const rate = (rows * 1000) / Math.max(1, at - since);
    const left = Math.ceil((ofRows - rows) / Math.max(1, rate));
    say(`${doing} ${progress.table}: ${rows} of ${ofRows} rows, ${Math.round(rate)}/s, ${left} s left`);
  };
}
