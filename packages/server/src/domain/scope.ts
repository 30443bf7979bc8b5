export type ScopeOperation = 'ALL' | 'READ' | 'CREATE' | 'UPDATE' | 'WRITE' | 'DELETE';

/** What a call asks for: any one of these operations on `ZohoCRM.{family}` or `ZohoCRM.{family}.{part}`. */
export interface ScopeNeed {
  readonly family: 'notifications' | 'modules' | 'settings' | 'org' | 'users';
  /** Such as a module's API name (`modules.Contacts`) or a kind of metadata (`settings.fields`). */
  readonly part?: string;
  /** `ALL` is always accepted and need not be named. */
  readonly operations: readonly ScopeOperation[];
}
