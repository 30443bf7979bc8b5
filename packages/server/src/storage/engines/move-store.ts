import { randomBytes } from 'node:crypto';
import type { SecretKeys } from '../cipher.ts';
import { type Move, movedAway } from '../moving.ts';
import { StoreRefusal } from '../refusal.ts';
import { type MoveSource, openSource } from './move-source.ts';
import { type Contents, type Counters, readContents, type Table, type TextValue } from './move-tables.ts';
import { type MoveTarget, notEmpty, openTarget, requireSameSchema } from './move-target.ts';

export interface MovedTable extends Contents {
  readonly name: string;
}

/** What a move came to. */
export interface MoveFacts {
  /** Without credentials. */
  readonly place: string;
  /** When it was done before, and nothing was done now, epoch ms. */
  readonly doneBefore?: number;
  /** As they were read again from the database, and equal to what the store holds; empty when it was done before. */
  readonly tables: readonly MovedTable[];
  readonly counters?: Counters;
}

/** How far it has come. */
export interface MoveProgress {
  readonly doing: 'copying' | 'comparing';
  readonly table: string;
  /** Rows of all tables that this was done with. */
  readonly rows: number;
  readonly ofRows: number;
}

export interface MoveOptions {
  readonly dataDir: string;
  readonly keys: SecretKeys;
  /** `postgres://…`, of a database whose schema is up to date. */
  readonly url: string;
  readonly onProgress?: (progress: MoveProgress) => void;
}

/**
 * Copies an embedded store that is at rest into a database that holds nothing, in one transaction: afterwards all of it is
 * there, was read again and compared, and the store itself opens no more; or nothing is, and it can be done again. Rejects
 * with a `StoreRefusal`.
 */
export async function moveStore({ dataDir, keys, url, onProgress = () => {} }: MoveOptions): Promise<MoveFacts> {
  const source = await openSource(dataDir, keys);
  try {
    const target = await openTarget(url);
    try {
      return await move(source, target, dataDir, onProgress);
    } catch (error) {
      throw notMoved(error);
    } finally {
      await target.close();
    }
  } finally {
    source.close();
  }
}

async function move(
  source: MoveSource,
  target: MoveTarget,
  dataDir: string,
  onProgress: (progress: MoveProgress) => void,
): Promise<MoveFacts> {
  const { tables, moved } = source;
  const { place, filled, begun } = target;
  requireSameSchema(tables, target.tables);
  if (filled && filled.id === moved?.id) return { place, doneBefore: filled.at, tables: [] };
  if (filled) throw notEmpty(place, filled);
  // It may have been committed where this database knows nothing of it.
  if (moved && begun?.id !== moved.id) throw new StoreRefusal('STORE_MOVED', movedAway(moved));
  const id = moved?.id ?? randomBytes(12).toString('hex');
  const at = Date.now();
  const from: Move = { id, at, place: dataDir };
  await target.begin(from, tables);
  await target.open(from, tables);

  const counts = new Map(tables.map((table) => [table, source.count(table)]));
  const ofRows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const held = new Map<Table, Contents>();
  let rows = 0;
  for (const table of inOrderOfReferences(tables)) {
    const contents = readContents();
    await target.copy(
      table,
      told(source.rows(table), (row) => {
        contents.take(row);
        rows += 1;
        onProgress({ doing: 'copying', table: table.name, rows, ofRows });
      }),
    );
    held.set(table, contents.end());
  }
  await target.analyze(tables);

  rows = 0;
  const found: MovedTable[] = [];
  for (const table of tables) {
    const contents = await target.contents(table, () => {
      rows += 1;
      onProgress({ doing: 'comparing', table: table.name, rows, ofRows });
    });
    requireSame(table, held.get(table), { rows: counts.get(table) ?? 0 }, contents);
    found.push({ name: table.name, ...contents });
  }
  const counters = await target.counters();
  requireSameCounters(source.counters(), counters);

  await target.end(from);
  // From here on nobody serves the store, and from the commit on the database is served: never both. Should the commit
  // fail, or nobody hear of it, the same command again knows by the marks what is left to do.
  source.mark({ id, at, place });
  await target.commit();
  return { place, tables: found, counters };
}

/** What is referred to comes before what refers to it. */
const inOrderOfReferences = (tables: readonly Table[]): Table[] =>
  tables.toSorted((a, b) => Number(b.name === 'profile') - Number(a.name === 'profile'));

function* told<Row extends readonly TextValue[]>(rows: Iterable<Row>, onRow: (row: Row) => void): Generator<Row> {
  for (const row of rows) {
    onRow(row);
    yield row;
  }
}

function requireSame(
  { name }: Table,
  held: Contents | undefined,
  counted: Pick<Contents, 'rows'>,
  found: Contents,
): void {
  if (held?.rows === counted.rows && held.rows === found.rows && held.sha256 === found.sha256) return;
  const differs = held?.rows === found.rows ? 'other content' : `${found.rows} rows instead of ${counted.rows}`;
  throw new StoreRefusal('NOT_MOVED', `The table ${name} was read again from the database with ${differs}`);
}

function requireSameCounters(held: Counters, found: Counters): void {
  if (JSON.stringify(held) === JSON.stringify(found)) return;
  throw new StoreRefusal(
    'NOT_MOVED',
    `Counters differ: ${JSON.stringify(held)}, in the database ${JSON.stringify(found)}`,
  );
}

/** Whatever went wrong: either nothing of it is in the database or all, and the same command again finds out. */
function notMoved(error: unknown): StoreRefusal {
  if (error instanceof StoreRefusal) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreRefusal('NOT_MOVED', `The store was not moved: ${reason}. Run it again`, { cause: error });
}
