import type { AccountStore, RecordReads, RelatedReads } from '../storage/store.ts';
import { type Bulk, createBulk } from './bulk.ts';
import { createExternalIds } from './external-ids.ts';
import { createNaming } from './naming.ts';
import { createOwners, type Owners } from './owners.ts';
import { createWriteRecords } from './record-writes.ts';
import { createRecords, type Records } from './records.ts';
import { createRelated, type Related } from './related.ts';
import { createTags, type Tags } from './tags.ts';
import type { Writer } from './writer.ts';

/** All that is done to records of a module. */
export interface RecordServices {
  readonly records: Records;
  readonly related: Related;
  readonly tags: Tags;
  readonly owners: Owners;
  readonly bulk: Bulk;
}

export interface RecordServicesParts {
  readonly writer: Writer;
  readonly reads: RecordReads;
  readonly relatedReads: RelatedReads;
  readonly accounts: AccountStore;
}

export function createRecordServices({ writer, reads, relatedReads, accounts }: RecordServicesParts): RecordServices {
  const naming = createNaming({ reads, accounts });
  const write = createWriteRecords({ writer, naming });
  const externalIds = createExternalIds({ reads: relatedReads });
  const records = createRecords({ write, naming, externalIds, reads });
  return {
    records,
    related: createRelated({ records, write, naming, externalIds, reads, relatedReads }),
    tags: createTags({ writer, write, naming, reads, relatedReads }),
    owners: createOwners({ write, relatedReads }),
    bulk: createBulk({ writer, write, reads }),
  };
}
