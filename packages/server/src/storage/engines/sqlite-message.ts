import type { Row, SqlValue, Write } from '../db.ts';

/** A statement as SQLite takes it, with one list of values for each time that it runs. */
export interface Command {
  readonly text: string;
  readonly runs: readonly (readonly SqlValue[])[];
}

export type Request =
  | { readonly id: number; readonly kind: 'query' | 'write'; readonly commands: readonly Command[] }
  | { readonly kind: 'close' };

export type Reply =
  | { readonly kind: 'ready'; readonly migrated: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'done'; readonly id: number; readonly results: Row[][] }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string };

/** What a thread is started with. The storage thread alone writes; the reading one only looks. */
export interface ThreadOptions {
  readonly role: 'storage' | 'reads';
  readonly dataDir: string;
  /** The store was open before: it must still be there. */
  readonly isReopening?: boolean;
}

/** Lists travel as one JSON text, so that the text of a statement never depends on how many there are. */
export function toCommand(write: Write): Command {
  if ('into' in write) {
    const gaps = write.rows[0]?.map(() => '?').join(', ') ?? '';
    return { text: `INSERT INTO ${write.into} VALUES (${gaps}) ${write.conflict}`, runs: write.rows };
  }
  if ('rows' in write) return { text: write.parts.join('?'), runs: write.rows };
  let text = write.parts[0] ?? '';
  const values = write.values.map((value, i) => {
    const after = write.parts[i + 1] ?? '';
    if (typeof value === 'object' && value !== null) {
      text += `(SELECT value FROM json_each(?))${after}`;
      return JSON.stringify(value.list);
    }
    text += `?${after}`;
    return value;
  });
  return { text, runs: [values] };
}
