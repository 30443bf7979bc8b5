import type { OrgId, UserId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import type { Principal, User } from '../domain/org.ts';
import { recordKey, type StoredRecord } from '../domain/record.ts';
import { namedBy, nameFieldOf } from '../domain/records/named.ts';
import type { Names } from '../domain/records/shown.ts';
import type { AccountStore, RecordReads } from '../storage/store.ts';

/** Finds what the ids in records are called, for answers. */
export interface Naming {
  named(principal: Principal, module: Module, records: readonly StoredRecord[]): Promise<Names>;
  /** The caller is known already. */
  users(org: OrgId, ids: Iterable<UserId>, caller: User): Promise<(id: UserId) => User | undefined>;
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
      const named = records.map((record) => namedBy(module, record.values));
      const refs = named.flatMap((by) =>
        by.records.flatMap((ref) => {
          const nameField = nameFieldOf(catalog, ref.module);
          return nameField === undefined ? [] : [{ ...ref, nameField }];
        }),
      );
      const ids = [
        ...records.flatMap(({ createdBy, modifiedBy }) => [createdBy, modifiedBy]),
        ...named.flatMap((by) => by.users),
      ];
      const [byId, names] = await Promise.all([
        users(org.id, ids, user),
        refs.length > 0 ? reads.names(org.id, refs) : new Map<string, string | null>(),
      ]);
      return { timeZone: org.timeZone, user: byId, record: (ref) => names.get(recordKey(ref.module, ref.id)) };
    },
  };
}
