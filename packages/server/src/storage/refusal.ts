export type RefusalCode =
  | 'DATA_DIR_IN_USE'
  | 'WRONG_SECRET_KEY'
  | 'STORE_TOO_NEW'
  | 'STORE_TOO_OLD'
  | 'MIGRATION_EDITED'
  | 'CANNOT_OPEN'
  | 'NO_ORGANISATION'
  | 'NOT_EMBEDDED'
  | 'FILE_EXISTS'
  | 'NOT_EMPTY'
  | 'NOT_A_BACKUP'
  | 'STORE_MOVED'
  | 'BEING_MOVED'
  | 'NOT_MOVED'
  | 'DATABASE_IN_USE';

/** Why a store was not opened, or not served: something that the operator can mend. The message says what. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
