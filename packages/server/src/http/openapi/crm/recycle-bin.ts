import { found, shown, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Recycle bin';
const bin = '/crm/{version}/settings/recycle_bin';
const body = { schema: 'Ids', example: { ids: ['3652397000000200001'] } } as const;

export const RECYCLE_BIN: Descriptions = {
  [`GET ${bin}`]: {
    summary: 'List what is in the bin, of all modules',
    tag,
    parameters: ['ids', 'sort_order', 'page', 'per_page'],
    answers: found('BinList'),
  },
  [`DELETE ${bin}`]: {
    summary: 'Delete records in the bin for good',
    tag,
    parameters: ['ids!', 'idempotency-key'],
    answers: written('BinResults'),
  },
  [`GET ${bin}/{id}`]: { summary: 'Show a record in the bin', tag, answers: found('BinList') },
  [`DELETE ${bin}/{id}`]: {
    summary: 'Delete a record in the bin for good',
    tag,
    parameters: ['idempotency-key'],
    answers: written('BinResults'),
  },
  [`GET ${bin}/actions/count`]: { summary: 'Count what is in the bin', tag, answers: shown('Count', 'How many') },
  [`POST ${bin}/actions/restore`]: {
    summary: 'Restore records',
    tag,
    parameters: ['idempotency-key'],
    body,
    answers: written('BinResults'),
  },
  [`POST ${bin}/{id}/actions/restore`]: {
    summary: 'Restore a record',
    tag,
    parameters: ['idempotency-key'],
    answers: written('BinResults'),
  },
};
