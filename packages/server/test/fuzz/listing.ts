import { canonical, listed, type ModelChannel, type ModelUser, modulesOf } from './model.ts';
import type { ModelRule } from './model-condition.ts';

/** What a listing is answered. */
export type ExpectedList =
  | { readonly refusal: string }
  | {
      readonly channels: ReadonlyMap<string, ModelChannel>;
      readonly page: number;
      readonly perPage: number;
      readonly module?: string;
    };

export function expectList(
  user: ModelUser,
  query: Readonly<Record<string, string | undefined>>,
  now: number,
): ExpectedList {
  const { module, channel_id: asked } = query;
  const [page, perPage] = [readCount(query.page, 1, 999_999_999), readCount(query.per_page, 200, 200)];
  if (page === undefined || perPage === undefined) return { refusal: 'INVALID_DATA' };
  if (module !== undefined && !user.modules.has(module)) return { refusal: 'INVALID_MODULE' };
  const id = asked === undefined ? undefined : canonical(asked);
  if (asked !== undefined && id === undefined) return { refusal: 'INVALID_DATA' };
  const channels = new Map(
    [...listed(user, now)].filter(
      ([own, { events }]) =>
        (id === undefined || own === id) && (module === undefined || modulesOf(events).includes(module)),
    ),
  );
  return { channels, page, perPage, ...(module !== undefined && { module }) };
}

function readCount(text: string | undefined, byDefault: number, maximum: number): number | undefined {
  if (text === undefined) return byDefault;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= maximum ? count : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

/** What is wrong with a listing; none for one that shows just what the model has. */
export function listFaults(
  expected: Exclude<ExpectedList, { refusal: string }>,
  version: string,
  status: number,
  body: Loose,
): string[] {
  const { channels, page, perPage, module } = expected;
  const shown = Math.max(0, Math.min(perPage, channels.size - (page - 1) * perPage));
  if (shown === 0) return status === 204 ? [] : [`${status} for an empty list`];
  if (status !== 200) return [`${status} for a list`];
  const ids = new Set<string>(body.watch.map((row: Loose) => row.channel_id));
  const faults: string[] = [];
  if (ids.size !== shown) faults.push(`${ids.size} channels instead of ${shown}`);
  for (const id of ids) {
    const channel = channels.get(id);
    const rows = body.watch.filter((row: Loose) => row.channel_id === id);
    if (!channel) faults.push(`an unknown channel ${id}`);
    else {
      const modules = modulesOf(channel.events).filter((name) => module === undefined || name === module);
      const wanted = modules.map((name) => rowOf(channel, name, version));
      const got = rows.map((row: Loose) => readRow(row, version));
      const [a, b] = [wanted, got].map((list) =>
        list
          .map((row: object) => JSON.stringify(row))
          .sort()
          .join('\n'),
      );
      if (a !== b) faults.push(`channel ${id}\n  should be ${a}\n  is        ${b}`);
    }
  }
  const info = { per_page: perPage, count: body.watch.length, page, more_records: channels.size > page * perPage };
  if (JSON.stringify(info) !== JSON.stringify(body.info)) faults.push(`info ${JSON.stringify(body.info)}`);
  return faults;
}

const isFrom = (version: string, first: number): boolean => Number(version.slice(1)) >= first;

/** A row as the model has it; keys that the version lacks are absent. */
function rowOf(channel: ModelChannel, module: string, version: string): object {
  const events = ['edit', 'create', 'delete'].map((operation) => `${module}.${operation}`);
  const rule = channel.conditions.get(module);
  return {
    notify_on_related_action: channel.related,
    channel_expiry: channel.expiresAt,
    ...(isFrom(version, 3) && { return_affected_field_values: channel.values }),
    uri: `/crm/${version}/${module}`,
    notify_url: channel.url,
    resource_name: module,
    ...(isFrom(version, 6) && { fields: null, notification_condition: rule === undefined ? null : shownRule(rule) }),
    events: events.filter((event) => channel.events.has(event)),
    token: channel.token,
  };
}

/** The same out of an answer; ids of modules and fields are looked at elsewhere. */
function readRow({ resource_id, channel_id, resource_uri, ...row }: Loose, version: string): object {
  const [condition] = row.notification_condition ?? [];
  return {
    notify_on_related_action: row.notify_on_related_action,
    channel_expiry: timeOf(row.channel_expiry),
    ...(isFrom(version, 3) && { return_affected_field_values: row.return_affected_field_values }),
    uri: new URL(resource_uri).pathname,
    notify_url: row.notify_url,
    resource_name: row.resource_name,
    ...(isFrom(version, 6) && {
      fields: row.fields,
      notification_condition: condition === undefined ? null : readRule(condition.field_selection),
    }),
    events: row.events,
    token: row.token,
    ...(Object.keys(row).length === (isFrom(version, 6) ? 9 : isFrom(version, 3) ? 7 : 6)
      ? {}
      : { keys: Object.keys(row) }),
  };
}

/** Whole seconds with an offset. */
export const timeOf = (text: unknown): number =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/.test(String(text)) ? Date.parse(String(text)) : Number.NaN;

const shownRule = (rule: ModelRule): Loose =>
  typeof rule === 'string' ? rule : { [rule.operator]: rule.members.map(shownRule) };

const readRule = ({ field, group, group_operator }: Loose): Loose =>
  field ? field.api_name : { [group_operator]: group.map(readRule) };
