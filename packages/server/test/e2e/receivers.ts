import { expect } from 'vitest';
import type { ApiVersion } from '../../src/domain/wire/api-version.ts';

/** What a receiver makes of one record of a notification. */
export interface ReceivedEvent {
  readonly id: string;
  readonly module: string;
  readonly operation: string;
}

interface Registered {
  readonly channelId: string;
  readonly token: string;
}

export interface ReceiverKind {
  readonly what: string;
  /** The first version whose notifications it can read; every one when absent. */
  readonly from?: ApiVersion;
  /** One event for each record. Throws, or gives none, where the receiver would not take the notification. */
  readonly decode: (body: Record<string, unknown>, registered: Registered) => readonly ReceivedEvent[];
}

function text(value: unknown, key: string): string {
  if (typeof value !== 'string') throw new Error(`${key} is no text: ${JSON.stringify(value)}`);
  return value;
}

function list(value: unknown, key: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${key} is no list: ${JSON.stringify(value)}`);
  return value;
}

function time(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Error('server_time is no number of ms');
  return value;
}

const textIds = (body: Record<string, unknown>) => list(body.ids, 'ids').map((id) => text(id, 'an id'));

/** What a subscription calls create, edit and delete. */
const OPERATIONS: readonly string[] = ['insert', 'update', 'delete'];

function operationOf(body: Record<string, unknown>): string {
  const operation = text(body.operation, 'operation');
  if (!OPERATIONS.includes(operation)) throw new Error(`the operation ${operation} is none`);
  return operation;
}

const events = (body: Record<string, unknown>, ids: readonly string[]): readonly ReceivedEvent[] =>
  ids.map((id) => ({ id, module: text(body.module, 'module'), operation: operationOf(body) }));

export const receivers: readonly ReceiverKind[] = [
  {
    what: 'one that makes an event of each entry of affected_values and fails without them',
    from: 'v3',
    decode(body, { token }) {
      time(body.server_time);
      if (text(body.token, 'token') !== token) return [];
      const entries = list(body.affected_values, 'affected_values') as { record_id: unknown; values: unknown }[];
      for (const { values } of entries) expect(values).toEqual(expect.any(Object));
      return events(
        body,
        entries.map((entry) => text(entry.record_id, 'record_id')),
      );
    },
  },
  {
    what: 'one that compares channel_id and token strictly, and reads each record anew',
    decode(body, { channelId, token }) {
      if (body.channel_id !== channelId || body.token !== token) return [];
      const address = new URL(text(body.resource_uri, 'resource_uri'));
      expect(address.pathname).toBe(`/crm/v2/${String(body.module)}`);
      return events(body, textIds(body));
    },
  },
  {
    what: 'one that knows a notification by its channel_id and its list of ids',
    decode(body) {
      if (!('channel_id' in body) || !('ids' in body)) throw new Error('no notification');
      return events(body, list(body.ids, 'ids').map(String));
    },
  },
  {
    what: 'one that joins values to ids by record_id, keys being API names, and needs server_time as a number',
    from: 'v3',
    decode(body, { token }) {
      if (body.token !== token) return [];
      time(body.server_time);
      const ids = textIds(body);
      const entries = list(body.affected_values, 'affected_values') as { record_id: string; values: object }[];
      const values = new Map(entries.map((entry) => [entry.record_id, entry.values]));
      for (const id of ids) for (const key of Object.keys(values.get(id) ?? {})) expect(key).toMatch(/^[A-Z]\w+$/);
      return events(
        body,
        ids.filter((id) => values.has(id)),
      );
    },
  },
  {
    what: 'one that takes ids as text or numbers and knows no operation but three',
    decode(body, { channelId, token }) {
      if (String(body.channel_id) !== channelId || text(body.token, 'token') !== token) return [];
      return list(body.ids, 'ids').map((id) => ({
        id: String(id),
        module: text(body.module, 'module'),
        operation: operationOf(body),
      }));
    },
  },
  {
    what: 'one that asks affected_fields what changed, an empty list meaning that nobody knows',
    from: 'v3',
    decode(body, { token }) {
      if (body.token !== token) return [];
      const entries = list(body.affected_fields, 'affected_fields') as Record<string, unknown>[];
      const ids = textIds(body);
      for (const entry of entries) {
        const [[id, fields] = [], ...others] = Object.entries(entry);
        expect(others).toEqual([]);
        expect(ids).toContain(id);
        for (const name of list(fields, `the fields of ${id}`)) text(name, 'a field');
      }
      // What names a record at all names all of them.
      return events(body, entries.length === 0 ? ids : entries.flatMap((entry) => Object.keys(entry)));
    },
  },
  {
    what: 'one that joins the ids into an address',
    decode: (body) => events(body, textIds(body).join(',').split(',')),
  },
  {
    what: 'one that takes whatever it finds of the usual keys, once each',
    decode(body) {
      const found = ['query_params', 'module', 'resource_uri', 'ids', 'operation', 'channel_id', 'token'];
      expect(Object.keys(body)).toEqual(expect.arrayContaining(found));
      expect(body.query_params).toEqual({ '?secret': 'in the url' });
      return events(body, textIds(body));
    },
  },
];
