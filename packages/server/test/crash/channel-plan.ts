import { busy, type Character, choking, flaky, gone, hanging, slow, well } from './receivers.ts';

/** A channel of a run: what it asks for, and how its receiver behaves. */
export interface Planned {
  readonly name: string;
  readonly version: string;
  readonly events: readonly string[];
  /** Updates count only when this field changed. */
  readonly condition?: { readonly module: string; readonly field: string };
  readonly withValues: boolean;
  readonly character: Character;
}

/** `gate` is for kills that are placed: its module is written by nobody else. `gone` and `dead` come and go. */
export const PLAN: readonly Planned[] = [
  { name: 'well', version: 'v8', events: ['Contacts.all'], withValues: true, character: well },
  {
    name: 'slow',
    version: 'v7',
    events: ['Contacts.edit'],
    condition: { module: 'Contacts', field: 'Department' },
    withValues: true,
    character: slow,
  },
  {
    name: 'flaky',
    version: 'v6',
    events: ['Contacts.create', 'Contacts.delete'],
    withValues: true,
    character: flaky,
  },
  { name: 'busy', version: 'v3', events: ['Leads.all'], withValues: false, character: busy },
  { name: 'gone', version: 'v2', events: ['Leads.create', 'Leads.delete'], withValues: false, character: well },
  { name: 'dead', version: 'v4', events: ['Contacts.delete', 'Leads.delete'], withValues: false, character: well },
  { name: 'choking', version: 'v5', events: ['Leads.edit', 'Contacts.create'], withValues: true, character: choking },
  { name: 'gate', version: 'v8', events: ['Accounts.all'], withValues: true, character: well },
];

export { gone, hanging, well };

const channelId = (name: string): string => String(PLAN.findIndex((planned) => planned.name === name) + 1);

/** The entry of the watch call that opens the channel, or takes it up again. */
export function entryOf({ name, events, condition, withValues }: Planned, url: string, expiresAt?: Date): object {
  return {
    channel_id: channelId(name),
    events,
    notify_url: url,
    ...(expiresAt && { channel_expiry: `${expiresAt.toISOString().slice(0, 19)}+00:00` }),
    ...(withValues && { return_affected_field_values: true }),
    ...(condition && {
      notification_condition: [
        {
          type: 'field_selection',
          module: { api_name: condition.module },
          field_selection: { field: { api_name: condition.field } },
        },
      ],
    }),
  };
}

const OPERATIONS: Readonly<Record<string, string>> = { create: 'insert', edit: 'update', delete: 'delete' };

/** Whether the channel is owed a notification of a record that changed in this way. */
export function isOwed(
  { events, condition }: Pick<Planned, 'events' | 'condition'>,
  change: { readonly module: string; readonly operation: string; readonly fields: readonly string[] },
): boolean {
  const isWatched = events.some((event) => {
    const [module, action = ''] = event.split('.');
    return module === change.module && (action === 'all' || OPERATIONS[action] === change.operation);
  });
  if (!isWatched || !condition || condition.module !== change.module || change.operation !== 'update') return isWatched;
  return change.fields.includes(condition.field);
}
