import { found, foundSince, shown, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Records';
const module = '/crm/{version}/{module}';
const contact = { data: [{ Last_Name: 'Boyle', Email: 'patricia@example.com' }] };

export const RECORDS: Descriptions = {
  [`GET ${module}`]: {
    summary: 'List records',
    tag,
    parameters: ['fields', 'ids', 'sort_by', 'sort_order', 'page', 'per_page', 'page_token', 'if-modified-since'],
    answers: foundSince('RecordList'),
  },
  [`POST ${module}`]: {
    summary: 'Create up to 100 records',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: contact },
    answers: written('Results', 201),
  },
  [`PUT ${module}`]: {
    summary: 'Change up to 100 records',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: { data: [{ id: '3652397000000200001', Phone: '555' }] } },
    answers: written('Results'),
  },
  [`DELETE ${module}`]: {
    summary: 'Delete up to 100 records',
    tag,
    parameters: ['ids!', 'x-external', 'idempotency-key'],
    answers: written('Results'),
  },
  [`POST ${module}/upsert`]: {
    summary: 'Create records, or change those that are there',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Upsert', example: { ...contact, duplicate_check_fields: ['Email'] } },
    answers: written('Results', 201),
  },
  [`GET ${module}/{id}`]: {
    summary: 'Show a record',
    tag,
    parameters: ['fields', 'if-modified-since', 'x-external'],
    answers: foundSince('Records'),
  },
  [`PUT ${module}/{id}`]: {
    summary: 'Change a record',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: { data: [{ Phone: '555' }] } },
    answers: written('Results'),
  },
  [`DELETE ${module}/{id}`]: {
    summary: 'Delete a record',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    answers: written('Results'),
  },
  [`GET ${module}/search`]: {
    summary: 'Search records',
    tag,
    detail: 'One of `criteria`, `email`, `phone`, `word` is needed; of several the first of them counts.',
    parameters: ['criteria', 'email', 'phone', 'word', 'fields', 'page', 'per_page'],
    answers: found('RecordPage'),
  },
  [`GET ${module}/actions/count`]: {
    summary: 'Count records',
    tag,
    detail: 'All, or those that a search would find.',
    parameters: ['criteria', 'email', 'phone', 'word'],
    answers: shown('Count', 'How many'),
  },
  [`GET ${module}/deleted`]: {
    summary: 'List deleted records',
    tag,
    parameters: ['deletedType', 'page', 'per_page', 'if-modified-since'],
    answers: foundSince('DeletedList'),
  },
};
