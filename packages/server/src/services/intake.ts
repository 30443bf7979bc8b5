import { AppError } from '../domain/error.ts';
import {
  type ExternalChange,
  kept,
  nobody,
  type ReadChange,
  readChanges,
  type TakenChange,
  takeChanges,
} from '../domain/external-change.ts';
import type { Idempotency } from '../domain/idempotency.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import { type Catalog, mayUse } from '../domain/modules/catalog.ts';
import type { Principal } from '../domain/org.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { Catalogs } from './catalogs.ts';
import { once } from './idempotency.ts';
import type { Command, Writer } from './writer.ts';

/** An operator who tells of changes in the name of nobody, or of a user. */
export interface TellingOperator {
  readonly org: OrgId;
  readonly by?: UserId;
  readonly idempotency?: Idempotency;
}

/**
 * Changes of records that live elsewhere. A call is taken as a whole, in its order, or refused: INVALID_DATA with the
 * `json_path` of its first fault, or LIMIT_EXCEEDED. Done once for the caller's idempotency key.
 */
export interface Intake {
  /** In the name of the caller; NO_PERMISSION for a module that is denied to them. */
  fromOwner(principal: Principal, changes: readonly ExternalChange[]): Promise<readonly TakenChange[]>;
  fromOperator(operator: TellingOperator, changes: readonly ExternalChange[]): Promise<readonly TakenChange[]>;
}

export interface IntakeParts {
  readonly writer: Writer;
  readonly catalogs: Pick<Catalogs, 'find'>;
}

/** Whose idempotency keys an operator's are: of each organisation, those of all its operators. */
const OPERATOR = 'operator' as UserId;

export function createIntake({ writer, catalogs }: IntakeParts): Intake {
  return {
    async fromOwner(principal, changes) {
      const { org, user, profile, catalog } = principal;
      const denied = changes.find(({ module }) => !mayUse(profile, module));
      if (denied) throw new AppError('NO_PERMISSION', 'permission denied', permissionFor(denied));
      const read = readChanges(catalog, changes);
      return writer.submit(
        org.id,
        once(
          principal,
          commandFor(catalog, read, (set) => takeChanges(set, read, { id: user.id, user })),
        ),
      );
    },

    async fromOperator({ org, by = nobody(org), idempotency }, changes) {
      const catalog = await catalogs.find(org);
      const read = readChanges(catalog, changes);
      const isNamed = by !== nobody(org);
      const command = commandFor(catalog, read, (set) => {
        const user = set.users.get(by);
        if (isNamed && (!user || user.status === 'removed')) throw noUser();
        return takeChanges(set, read, { id: by, user });
      });
      const { needs } = command;
      return writer.submit(
        org,
        once(
          { user: { id: OPERATOR }, ...(idempotency && { idempotency }) },
          { ...command, needs: { ...needs, ...(isNamed && { users: [by] }) } },
        ),
      );
    },
  };
}

/** Its weight: a row of the log and of what it is about for each. */
const commandFor = (
  catalog: Catalog,
  changes: readonly ReadChange[],
  decide: (set: WorkingSet) => TakenChange[],
): Command<readonly TakenChange[]> => ({
  needs: { present: kept(catalog, changes) },
  weight: changes.reduce((sum, { records }) => sum + 1 + records.length, 0),
  decide,
});

const ACTS = { insert: 'Create', update: 'Edit', delete: 'Delete' } as const;

const permissionFor = ({ operation, module }: ExternalChange) => ({
  permissions: [`Crm_Implied_${ACTS[operation]}_${module}`],
});

const noUser = (): AppError =>
  new AppError('INVALID_DATA', 'by is no user of the organisation', { api_name: 'by', json_path: '$.by' });
