import type { OrgId } from '../domain/ids.ts';
import type { JobStep } from '../domain/job.ts';
import { changeRows, type RowChange, sql } from './db.ts';
import { lastOf } from './group.ts';

/** One that was paused or cancelled meanwhile stays so; what it did is counted. */
export const saveJobSteps = (org: OrgId, steps: readonly JobStep[], at: number): RowChange =>
  changeRows(
    lastOf(steps, ({ id }) => id),
    ({ id, state, progress, note }) => sql`
      UPDATE job SET progress = ${JSON.stringify(progress)}, updated_at = ${at}, note = ${note ?? null},
        state = CASE state WHEN 'running' THEN ${state} ELSE state END
      WHERE org_id = ${org} AND id = ${id}`,
  );
