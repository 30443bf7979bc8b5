import { found, foundSince, shown } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Metadata and users';
const settings = '/crm/{version}/settings';

export const METADATA: Descriptions = {
  [`GET ${settings}/modules`]: {
    summary: 'List modules',
    tag,
    parameters: ['if-modified-since'],
    answers: foundSince('Modules'),
  },
  [`GET ${settings}/modules/{module}`]: { summary: 'Show a module', tag, answers: shown('Modules', 'The module') },
  [`GET ${settings}/fields`]: {
    summary: 'List the fields of a module',
    tag,
    parameters: ['module!'],
    answers: shown('Fields', 'The fields'),
  },
  [`GET ${settings}/fields/{id}`]: {
    summary: 'Show a field',
    tag,
    parameters: ['module!'],
    answers: shown('Fields', 'The field'),
  },
  [`GET ${settings}/related_lists`]: {
    summary: 'List the related lists of a module',
    tag,
    parameters: ['module!'],
    answers: found('RelatedLists'),
  },
  'GET /crm/{version}/org': { summary: 'Show the organisation', tag, answers: shown('Org', 'The organisation') },
  'GET /crm/{version}/users': {
    summary: 'List users',
    tag,
    parameters: ['usersType', 'page', 'per_page'],
    answers: found('Users'),
  },
  'GET /crm/{version}/users/{id}': { summary: 'Show a user', tag, answers: found('Users') },
};
