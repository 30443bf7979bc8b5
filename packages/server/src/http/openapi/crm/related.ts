import { foundSince, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Related records';
const list = '/crm/{version}/{module}/{id}/{related}';
const note = { data: [{ Note_Title: 'Called', Note_Content: 'Wants an offer' }] };

export const RELATED: Descriptions = {
  [`GET ${list}`]: {
    summary: 'List the records that point at one',
    tag,
    parameters: ['fields', 'sort_by', 'sort_order', 'page', 'per_page', 'if-modified-since', 'x-external'],
    answers: foundSince('RecordPage'),
  },
  [`POST ${list}`]: {
    summary: 'Create records that point at one, such as its notes',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: note },
    answers: written('Results', 201),
  },
  [`PUT ${list}`]: {
    summary: 'Let records point at one',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: { data: [{ id: '3652397000000200002' }] } },
    answers: written('Results'),
  },
  [`DELETE ${list}`]: {
    summary: 'Let records point at one no more; notes are deleted',
    tag,
    parameters: ['ids!', 'x-external', 'idempotency-key'],
    answers: written('Results'),
  },
  [`GET ${list}/{relatedId}`]: {
    summary: 'Show a record that points at one',
    tag,
    parameters: ['fields', 'if-modified-since', 'x-external'],
    answers: foundSince('Records'),
  },
  [`PUT ${list}/{relatedId}`]: {
    summary: 'Let a record point at one',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    body: { schema: 'Records', example: { data: [{}] } },
    answers: written('Results'),
  },
  [`DELETE ${list}/{relatedId}`]: {
    summary: 'Let a record point at one no more; a note is deleted',
    tag,
    parameters: ['x-external', 'idempotency-key'],
    answers: written('Results'),
  },
};
