import type { ClockState } from '../domain/clock.ts';
import { type Db, sql } from './db.ts';
import { integerOrNone, jsonObject } from './rows.ts';
import type { ClockStore } from './store.ts';

const NAME = 'clock';

export function createClockStore(db: Db): ClockStore {
  return {
    async load() {
      const [[row] = [], [newest] = []] = await db.read([
        sql`SELECT value FROM meta WHERE name = ${NAME}`,
        sql`SELECT MAX(last_time) AS at FROM org`,
      ]);
      return {
        ...(row && { left: jsonObject<ClockState>(row, 'value') }),
        lastTime: (newest && integerOrNone(newest, 'at')) ?? 0,
      };
    },
    async save(state, before) {
      const was = before === undefined ? null : JSON.stringify(before);
      const [rows = []] = await db.write([
        sql`
          INSERT INTO meta (name, value) VALUES (${NAME}, ${JSON.stringify(state)})
          ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value = ${was}
          RETURNING name`,
      ]);
      return rows.length === 1;
    },
  };
}
