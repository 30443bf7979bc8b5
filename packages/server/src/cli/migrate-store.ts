import { type MoveFacts, type MoveProgress, moveIntoDatabase } from '../maintenance.ts';
import { CliError, type ExitCode } from './errors.ts';
import { table as columns, note, print, printJson } from './output.ts';
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
  const facts = await moveIntoDatabase(
    config,
    progressLines(note, () => performance.now()),
  );
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
  print(
    columns([['table', 'rows', 'sha256'], ...tables.map(({ name, rows, sha256 }) => [name, String(rows), sha256])]),
  );
  print(columns(Object.entries(counters ?? {}).map(([name, value]) => [name, String(value)])));
  note(`All of it was read again from ${place} and is the same. Serve that; ${dataDir} is not served any more.`);
}

const EVERY_MS = 5000;

/** A line every few seconds, so that a short move says nothing. `now` in milliseconds. */
export function progressLines(say: (line: string) => void, now: () => number): (progress: MoveProgress) => void {
  let since = 0;
  let told = 0;
  let last: MoveProgress['doing'] | undefined;
  return ({ doing, table, rows, ofRows }) => {
    // The time is not asked for with every row.
    if (doing === last && rows % 256 !== 0) return;
    const at = now();
    if (doing !== last) {
      [last, since, told] = [doing, at, at];
    } else if (at - told >= EVERY_MS) {
      told = at;
      const rate = (rows * 1000) / (at - since);
      say(
        `${doing} ${table}: ${rows} of ${ofRows} rows, ${Math.round(rate)}/s, ${Math.ceil((ofRows - rows) / rate)} s left`,
      );
    }
  };
}
