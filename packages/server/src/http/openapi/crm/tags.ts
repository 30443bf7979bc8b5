import { found, shown, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Tags';
const settings = '/crm/{version}/settings/tags';
const module = '/crm/{version}/{module}';
const tags = [{ name: 'Important', color_code: '#57B1FD' }];
const ids = ['3652397000000200001'];

export const TAGS: Descriptions = {
  [`GET ${settings}`]: {
    summary: 'List the tags of a module',
    tag,
    parameters: ['module!'],
    answers: found('TagList'),
  },
  [`POST ${settings}`]: {
    summary: 'Make tags',
    tag,
    parameters: ['module!', 'idempotency-key'],
    body: { schema: 'Tags', example: { tags } },
    answers: written('TagResults', 201),
  },
  [`PUT ${settings}`]: {
    summary: 'Rename tags',
    tag,
    parameters: ['module!', 'idempotency-key'],
    body: { schema: 'Tags', example: { tags: [{ id: '3652397000000300001', name: 'Urgent' }] } },
    answers: written('TagResults'),
  },
  [`PUT ${settings}/{id}`]: {
    summary: 'Rename a tag',
    tag,
    parameters: ['module!', 'idempotency-key'],
    body: { schema: 'Tags', example: { tags: [{ name: 'Urgent' }] } },
    answers: written('TagResults'),
  },
  [`DELETE ${settings}/{id}`]: {
    summary: 'Remove a tag, from its records as well',
    tag,
    parameters: ['idempotency-key'],
    answers: shown('TagResults', 'It is removed'),
  },
  [`GET ${settings}/{id}/actions/records_count`]: {
    summary: 'Count the records that have a tag',
    tag,
    parameters: ['module!'],
    answers: shown('Count', 'How many'),
  },
  [`POST ${module}/actions/add_tags`]: {
    summary: 'Tag records',
    tag,
    parameters: ['ids', 'tag_names', 'idempotency-key'],
    body: { schema: 'Tagging', example: { tags, ids } },
    answers: written('TaggedRecords'),
  },
  [`POST ${module}/{id}/actions/add_tags`]: {
    summary: 'Tag a record',
    tag,
    parameters: ['tag_names', 'idempotency-key'],
    body: { schema: 'Tagging', example: { tags } },
    answers: written('TaggedRecords'),
  },
  [`POST ${module}/actions/remove_tags`]: {
    summary: 'Take tags from records',
    tag,
    parameters: ['ids', 'tag_names', 'idempotency-key'],
    body: { schema: 'Tagging', example: { tags, ids } },
    answers: written('TaggedRecords'),
  },
  [`POST ${module}/{id}/actions/remove_tags`]: {
    summary: 'Take tags from a record',
    tag,
    parameters: ['tag_names', 'idempotency-key'],
    body: { schema: 'Tagging', example: { tags } },
    answers: written('TaggedRecords'),
  },
};
