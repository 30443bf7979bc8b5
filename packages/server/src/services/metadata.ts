import { AppError } from '../domain/error.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import { type Module, pointsAt } from '../domain/module.ts';
import { findModule, mayUse, moduleId } from '../domain/modules/catalog.ts';
import type { Principal, UserStatus } from '../domain/org.ts';
import type { AccountStore, Member, MemberPage } from '../storage/store.ts';

/** The standard modules belong to the release: they have not changed since this time (epoch ms). */
const METADATA_MODIFIED_AT = Date.UTC(2026, 0, 1);

/** When anything was last changed of a module or its fields, epoch ms. */
export const modifiedAt = (module: Module): number => Math.max(METADATA_MODIFIED_AT, module.modifiedAt ?? 0);

/** What a user may know of the organisation's modules and people. */
export interface Metadata {
  /** Without those denied to the caller. */
  listModules(principal: Principal): Module[];
  /** By API name or id. Throws INVALID_MODULE, or NO_PERMISSION for one denied to the caller. */
  getModule(principal: Principal, nameOrId: string): Module;
  /** Modules whose records point at records of this one, without those denied. */
  listRelated(principal: Principal, module: Module): Module[];
  /** `page` from 1, `perPage` 1 … 200. */
  listMembers(org: OrgId, statuses: readonly UserStatus[], page: number, perPage: number): Promise<MemberPage>;
  findMember(org: OrgId, user: UserId): Promise<Member | undefined>;
}

export function createMetadata({ accounts }: { readonly accounts: AccountStore }): Metadata {
  const listModules = ({ profile, catalog }: Principal) =>
    catalog.modules.filter((module) => mayUse(profile, module.apiName));
  return {
    listModules,
    getModule({ org, profile, catalog }, nameOrId) {
      const module =
        findModule(catalog, nameOrId) ?? catalog.modules.find((known) => moduleId(org.id, known) === nameOrId);
      if (!module) throw new AppError('INVALID_MODULE', 'the module name given seems to be invalid');
      if (!mayUse(profile, module.apiName)) {
        throw new AppError('NO_PERMISSION', 'permission denied', {
          permissions: [`Crm_Implied_View_${module.apiName}`],
        });
      }
      return module;
    },
    listRelated: (principal, module) =>
      listModules(principal).filter(
        ({ fields, hasRecords }) => hasRecords && fields.some((field) => pointsAt(field, module) && !field.readOnly),
      ),
    listMembers: (org, statuses, page, perPage) => accounts.listMembers(org, page, perPage, statuses),
    findMember: (org, user) => accounts.findMember(org, user),
  };
}
