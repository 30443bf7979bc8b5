import { type Db, insertRows } from './db.ts';

const NAME = 'probe';

/** Writes for real: a row that stays as it is would not be written, and a full disk not be seen. */
export const probe = (db: Pick<Db, 'write'>) =>
  db.write([
    insertRows(
      'meta (name, value)',
      [[NAME, '0']],
      "ON CONFLICT (name) DO UPDATE SET value = CASE meta.value WHEN '0' THEN '1' ELSE '0' END",
    ),
  ]);
