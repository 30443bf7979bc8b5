import type { Entry, Rule } from './channels.ts';

/** By which a kind of entry is sent. */
export const METHODS = { open: 'POST', replace: 'PUT', merge: 'PATCH', prune: 'PATCH' } as const;

const wireRule = (rule: Rule): object =>
  typeof rule === 'string'
    ? { field: { api_name: rule } }
    : { group_operator: rule.operator, group: rule.parts.map(wireRule) };

/** An entry as it goes over the wire. */
export const wireEntry = (entry: Entry): object => ({
  channel_id: entry.channelId,
  notify_url: entry.url,
  events: entry.events,
  token: entry.token,
  channel_expiry: typeof entry.expiry === 'number' ? iso(entry.expiry) : entry.expiry,
  notify_on_related_action: entry.related,
  return_affected_field_values: entry.values,
  fields: entry.fields,
  notification_condition:
    entry.conditions &&
    Object.entries(entry.conditions).map(([module, rule]) => ({
      type: 'field_selection',
      module: { api_name: module },
      field_selection: wireRule(rule),
    })),
  ...(entry.kind === 'prune' && { _delete_events: true }),
});

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;
