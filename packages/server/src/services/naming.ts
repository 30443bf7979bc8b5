import type { OrgId, UserId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import { type Catalog, findModule } from '../domain/modules/catalog.ts';
import type { Principal, User } from '../domain/org.ts';
import { type RecordRef, recordKey, type StoredRecord } from '../domain/record.ts';
import { lookupTarget, userTarget } from '../domain/records/input.ts';
import type { Names } from '../domain/records/shown.ts';
import type { AccountStore, RecordReads } from '../storage/store.ts';

/** Finds what the ids in records are called, for answers. */
export interface Naming {
  named(principal: Principal, module: Module, records: readonly StoredRecord[]): Promise<Names>;
  /** The caller is known already. */
  users(org: OrgId, ids: readonly UserId[], caller: User): Promise<(id: UserId) => User | undefined>;
}

export function createNaming({ reads, accounts }: { reads: RecordReads; accounts: AccountStore }): Naming {
  const users: Naming['users'] = async (org, ids, caller) => {
    const others = [...new Set(ids)].filter((id) => id !== caller.id);
    const found = others.length > 0 ? await accounts.findUsers(org, others) : [];
    const byId = new Map([caller, ...found].map((user) => [user.id, user]));
    return (id) => byId.get(id);
  };
  return {
    users,
    async named({ org, user, catalog }, module, records) {
      const refs = records.flatMap((record) => lookupsOf(catalog, module, record));
      const ids = records.flatMap((record) => usersOf(module, record));
      const [byId, names] = await Promise.all([
        users(org.id, ids, user),
        refs.length > 0 ? reads.names(org.id, refs) : new Map<string, string>(),
      ]);
      return { timeZone: org.timeZone, user: byId, record: (ref) => names.get(recordKey(ref.module, ref.id)) };
    },
  };
}

const usersOf = (module: Module, record: StoredRecord): UserId[] => [
  record.createdBy,
  record.modifiedBy,
  ...module.fields.flatMap((field) => userTarget(field, record.values[field.apiName]) ?? []),
];

const lookupsOf = (
  catalog: Catalog,
  module: Module,
  record: StoredRecord,
): (RecordRef & { readonly nameField: string })[] =>
  module.fields.flatMap((field) => {
    const target = lookupTarget(field, record.values[field.apiName]);
    const nameField = target && findModule(catalog, target.module)?.nameField;
    return target && nameField !== undefined ? [{ ...target, nameField }] : [];
  });
