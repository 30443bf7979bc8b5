import { describe } from 'vitest';
import { accountSuite } from './accounts.ts';
import { backlogSuite } from './backlog.ts';
import { channelSuite } from './channels.ts';
import { clientSuite } from './clients.ts';
import { clockSuite } from './clock.ts';
import { deletedRecordSuite } from './deleted-records.ts';
import { deliverySuite } from './delivery.ts';
import { housekeepingSuite } from './housekeeping.ts';
import { noticeSuite } from './notices.ts';
import { orgTransactionSuite } from './org-transaction.ts';
import { raceSuite } from './races.ts';
import { recordListSuite } from './record-lists.ts';
import { recordSuite } from './records.ts';
import { relatedSuite } from './related.ts';
import { rematchedRetentionSuite } from './rematched-retention.ts';
import type { Open } from './sample.ts';
import { searchSuite } from './search.ts';
import { tokenSuite } from './tokens.ts';

/** What every engine must do. An engine has only to open an empty store for each test. */
export function storeSuite(engine: string, open: Open): void {
  describe(`a store on ${engine}`, () => {
    accountSuite(open);
    clientSuite(open);
    tokenSuite(open);
    recordSuite(open);
    relatedSuite(open);
    searchSuite(open);
    recordListSuite(open);
    deletedRecordSuite(open);
    channelSuite(open);
    orgTransactionSuite(open);
    deliverySuite(open);
    housekeepingSuite(open);
    noticeSuite(open);
    rematchedRetentionSuite(open);
    backlogSuite(open);
    raceSuite(open);
    clockSuite(open);
  });
}
