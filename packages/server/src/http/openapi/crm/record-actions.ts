import { shown, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Many records at once';
const actions = '/crm/{version}/{module}/actions';
const oneActions = '/crm/{version}/{module}/{id}/actions';
const ids = ['3652397000000200001'];
const owner = { id: '3652397000000186017' };
const done = 'The results, or the id of a job when there are many';

export const RECORD_ACTIONS: Descriptions = {
  [`POST ${actions}/change_owner`]: {
    summary: 'Give records to another owner',
    tag,
    parameters: ['idempotency-key'],
    body: { schema: 'ChangeOwner', example: { ids, owner } },
    answers: written('Results'),
  },
  [`POST ${oneActions}/change_owner`]: {
    summary: 'Give a record to another owner',
    tag,
    parameters: ['idempotency-key'],
    body: { schema: 'ChangeOwner', example: { owner } },
    answers: written('Results'),
  },
  [`POST ${actions}/mass_update`]: {
    summary: 'Give many records the same values',
    tag,
    parameters: ['idempotency-key'],
    body: { schema: 'MassUpdate', example: { data: [{ City: 'Chemnitz' }], ids, over_write: true } },
    answers: { ...written('Results'), 200: { description: done, schema: 'Results' } },
  },
  [`GET ${actions}/mass_update`]: {
    summary: 'Show what a mass update came to',
    tag,
    parameters: ['job_id!'],
    answers: shown('JobStatus', 'The counts'),
  },
  [`POST ${actions}/mass_delete`]: {
    summary: 'Delete many records',
    tag,
    parameters: ['idempotency-key'],
    body: { schema: 'Ids', example: { ids } },
    answers: { ...written('Results'), 200: { description: done, schema: 'Results' } },
  },
  [`GET ${actions}/mass_delete`]: {
    summary: 'Show what a mass delete came to',
    tag,
    parameters: ['job_id!'],
    answers: shown('JobStatus', 'The counts'),
  },
};
