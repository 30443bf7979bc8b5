import { found, written } from '../answers.ts';
import type { Descriptions } from '../description.ts';

const tag = 'Notifications';
const path = '/crm/{version}/actions/watch';

const channel = {
  channel_id: '1000000068001',
  events: ['Contacts.all'],
  notify_url: 'https://example.com/callback',
  token: 'demo',
};

export const WATCH: Descriptions = {
  [`POST ${path}`]: {
    summary: 'Open channels',
    tag,
    detail: 'Up to 100 in a call, each judged alone. A live channel with the same id is replaced.',
    parameters: ['idempotency-key'],
    body: { schema: 'Watch', example: { watch: [channel] } },
    answers: {
      201: { description: 'All were opened', schema: 'WatchResults' },
      202: { description: 'Some failed (v2 to v7)', schema: 'WatchResults' },
      207: { description: 'Some failed (v8)', schema: 'WatchResults' },
      400: { description: 'All failed; or a bare error', schema: 'WatchResults' },
    },
  },
  [`GET ${path}`]: {
    summary: "List the caller's live channels",
    tag,
    detail: 'One row for each channel and module. `page` and `per_page` count channels.',
    parameters: ['channel_id', 'module', 'page', 'per_page'],
    answers: found('WatchList'),
  },
  [`PUT ${path}`]: {
    summary: 'Replace what channels are',
    tag,
    parameters: ['idempotency-key'],
    body: { schema: 'Watch', example: { watch: [channel] } },
    answers: written('WatchResults'),
  },
  [`PATCH ${path}`]: {
    summary: 'Change channels, or take events from them',
    tag,
    detail:
      'What is not given stays. With `_delete_events` the events given are taken away; the last one ends the channel.',
    parameters: ['idempotency-key'],
    body: {
      schema: 'Watch',
      example: { watch: [{ channel_id: '1000000068001', channel_expiry: '2027-01-01T00:00:00+00:00' }] },
    },
    answers: written('WatchResults'),
  },
  [`DELETE ${path}`]: {
    summary: 'End channels',
    tag,
    detail: 'What they still owe is cancelled. v2 and v2.1 take the scope `ZohoCRM.notifications.WRITE`, too.',
    parameters: ['channel_ids!', 'idempotency-key'],
    answers: written('WatchResults'),
  },
};
