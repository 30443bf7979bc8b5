import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { RecordId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import type { Principal } from '../domain/org.ts';
import { updateAll } from '../domain/records/call.ts';
import { needsOf } from '../domain/records/needs.ts';
import { done, type Result } from '../domain/records/result.ts';
import type { RelatedReads } from '../storage/store.ts';
import { inChunks, type MassResult, withKeyOf } from './chunks.ts';
import { pathId, readId, tooManyIds, usable } from './record-access.ts';
import type { WriteRecords } from './record-writes.ts';
import { fieldsPointingAt } from './related-fields.ts';

/** Gives records to another owner. */
export interface Owners {
  /**
   * Up to 500 records, and those of the related modules that point at one of them. INVALID_DATA for an owner that is no
   * user's id and for a related module whose records point at none of these.
   */
  change(
    principal: Principal,
    module: string,
    ids: readonly string[],
    owner: string,
    relatedModules: readonly string[],
  ): Promise<readonly MassResult[]>;
}

const MAX_IDS = 500;

interface OwnersParts {
  readonly write: WriteRecords;
  readonly relatedReads: RelatedReads;
}

export function createOwners({ write, relatedReads }: OwnersParts): Owners {
  const give = (principal: Principal, module: Module, ids: readonly Result<RecordId>[], owner: RecordId) =>
    inChunks(
      principal,
      ids.map((id, i) => [id.ok ? id.value : String(i), id] as const),
      (once, chunk) => {
        const given = new Map([['Owner', { id: owner }]]);
        const inputs = chunk.map((id) => done({ path: '$', id, given }));
        return write(once, chunk.length, needsOf(module, inputs), (set) =>
          updateAll(set, module, inputs, principal.user),
        );
      },
    );

  return {
    async change(principal, moduleName, texts, owner, relatedModules) {
      const module = usable(principal, moduleName, 'Edit');
      if (texts.length > MAX_IDS) throw tooManyIds(MAX_IDS);
      const ownerId = pathId(owner);
      const related = relatedModules.map((name) => {
        const other = usable(principal, name, 'Edit');
        const fields = fieldsPointingAt(other, module).map(({ apiName }) => apiName);
        if (fields.length > 0) return { module: other, fields };
        throw new AppError('INVALID_DATA', 'invalid data', { api_name: 'related_modules', module: name });
      });
      const results = await give(principal, module, texts.map(readId), ownerId);
      const written = results.flatMap(({ result }) => (result.ok ? [result.value.record.id] : []));
      for (const { module: other, fields } of related) {
        let after = '';
        for (;;) {
          const { org } = principal;
          const ids = await relatedReads.ids(org.id, other.apiName, fields, written, after, MAX_RECORDS_PER_CHANGE);
          if (ids.length === 0) break;
          after = ids.at(-1) ?? after;
          await give(withKeyOf(principal, `${other.apiName} ${after}`), other, ids.map(done), ownerId);
        }
      }
      return results;
    },
  };
}
