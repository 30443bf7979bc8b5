import { createHash } from 'node:crypto';
import { MOVED_FROM, MOVED_TO, MOVING } from '../moving.ts';

// What both sides of a move have in common: tables as their schemas say, and what is compared of them.

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
}

export interface Table {
  readonly name: string;
  /** In the same order on both sides. */
  readonly columns: readonly Column[];
  /** Columns of the primary key, in its order. */
  readonly key: readonly string[];
}

/** What every store has of its own. */
const NOT_MOVED: readonly string[] = ['migration'];
/** What only a database has that nodes share; none of it outlives them. */
const OF_NODES: readonly string[] = ['node', 'bucket'];

/** Rows of `meta` that are about the place, not about the store: marks of moves, which server the database is on, what is written to try it. */
export const PLACE_ROWS: readonly string[] = [MOVED_TO, MOVING, MOVED_FROM, 'timeline', 'probe'];

/** One column as a catalogue lists it. */
export interface ListedColumn extends Column {
  readonly table: string;
  /** From 1; 0: not of the primary key. */
  readonly keyPosition: number;
}

export function tablesOf(listed: readonly ListedColumn[]): Table[] {
  const names = [...new Set(listed.map(({ table }) => table))].filter((name) => !NOT_MOVED.includes(name)).sort();
  return names.map((name) => {
    const own = listed.filter(({ table }) => table === name);
    const columns = own.map(({ name, type, isNullable }) => ({ name, type, isNullable }));
    const keys = own.filter(({ keyPosition }) => keyPosition > 0).sort((a, b) => a.keyPosition - b.keyPosition);
    return {
      name,
      columns: columns.sort((a, b) => (a.name < b.name ? -1 : 1)),
      key: keys.map(({ name }) => name),
    };
  });
}

/** The first way in which two schemas are not the same, for people. */
export function schemaDifference(from: readonly Table[], to: readonly Table[]): string | undefined {
  const [ours, theirs] = [namesOf(from), namesOf(to.filter(({ name }) => !OF_NODES.includes(name)))];
  if (ours !== theirs) return `the store has the tables ${ours}, the database ${theirs}`;
  for (const table of from) {
    const [here, there] = [shown(table), shown(to.find(({ name }) => name === table.name))];
    if (here !== there) return `${table.name} is ${here} in the store, and ${there} in the database`;
  }
  return undefined;
}

const namesOf = (tables: readonly Table[]): string => tables.map(({ name }) => name).join(', ');

function shown(table: Table | undefined): string {
  const columns = table?.columns.map(({ name, type, isNullable }) => `${name} ${type}${isNullable ? '' : ' not null'}`);
  return `(${[...(columns ?? []), `key ${table?.key.join(', ')}`].join('; ')})`;
}

/** A value as text, null where there is none: what is compared, on both sides alike. */
export type TextValue = string | null;

/** What a table holds, whatever store it is in. */
export interface Contents {
  readonly rows: number;
  /** SHA-256 of all rows in the order of the key, each a JSON list of its values as text, on a line of its own. */
  readonly sha256: string;
}

export interface ContentsReader {
  take(row: readonly TextValue[]): void;
  end(): Contents;
}

/** Characters after which the digest is fed. */
const PIECE = 64 * 1024;

export function readContents(): ContentsReader {
  const hash = createHash('sha256');
  let rows = 0;
  let text = '';
  return {
    take(row) {
      rows += 1;
      text += `${JSON.stringify(row)}\n`;
      if (text.length < PIECE) return;
      hash.update(text);
      text = '';
    },
    end: () => ({ rows, sha256: hash.update(text).digest('hex') }),
  };
}

/** Columns of a table as a statement names them. */
export const columnList = ({ columns }: Table): string => columns.map(({ name }) => `"${name}"`).join(', ');

/** `WHERE … ORDER BY …` of what is moved and compared of a table. */
export function inKeyOrder(table: Table): string {
  const only = table.name === 'meta' ? `WHERE name NOT IN (${PLACE_ROWS.map((name) => `'${name}'`).join(', ')}) ` : '';
  return `${only}ORDER BY ${table.key.map((name) => `"${name}"`).join(', ')}`;
}

/** What must come out the same on both sides: counters from which numbers and ids go on. */
export const COUNTERS = `SELECT
  (SELECT count(*) FROM org) AS organisations, (SELECT sum(last_change) FROM org) AS changes,
  (SELECT sum(next_serial) FROM org) AS serials, (SELECT sum(channel_version) FROM org) AS revisions,
  (SELECT sum(last_number) FROM channel) AS numbers, (SELECT count(*) FROM owed) AS owed`;

export interface Counters {
  readonly organisations: number;
  /** Of all organisations: changes ever committed, ids ever given, revisions of channels. */
  readonly changes: number;
  readonly serials: number;
  readonly revisions: number;
  /** Of all channels: numbers of notifications ever given. */
  readonly numbers: number;
  /** Notifications that are not delivered yet. */
  readonly owed: number;
}

export function countersOf(row: Readonly<Record<string, unknown>>): Counters {
  const of = (name: keyof Counters): number => Number(row[name] ?? 0);
  return {
    organisations: of('organisations'),
    changes: of('changes'),
    serials: of('serials'),
    revisions: of('revisions'),
    numbers: of('numbers'),
    owed: of('owed'),
  };
}
