import type { Descriptions } from '../description.ts';
import { METADATA } from './metadata.ts';
import { RECORD_ACTIONS } from './record-actions.ts';
import { RECORDS } from './records.ts';
import { RECYCLE_BIN } from './recycle-bin.ts';
import { RELATED } from './related.ts';
import { TAGS } from './tags.ts';
import { WATCH } from './watch.ts';

/** Zoho's surface, but for OAuth. */
export const CRM: Descriptions = {
  ...WATCH,
  ...RECORDS,
  ...RECORD_ACTIONS,
  ...RECYCLE_BIN,
  ...RELATED,
  ...TAGS,
  ...METADATA,
};
