import type { OrgId, ProfileId, UserId } from '../../src/domain/ids.ts';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import type { ApiVersion } from '../../src/domain/wire/api-version.ts';
import type { Call } from '../../src/http/call.ts';
import { parseJsonObject } from '../../src/http/json.ts';
import { readWatch } from '../../src/http/watch/request.ts';

export const org = '3652397' as OrgId;

export function call(text: string, version: ApiVersion = 'v8', query: Record<string, string> = {}): Call {
  return {
    version,
    base: 'http://127.0.0.1:8686',
    external: undefined,
    principal: {
      org: { id: org, name: 'Sample', timeZone: 'UTC' },
      user: { id: '1' as UserId, email: 'p@example.com', firstName: '', lastName: 'P', profileId: '2' as ProfileId },
      profile: { id: '2' as ProfileId, name: 'Most', deniedModules: ['Invoices'] },
      catalog: STANDARD_CATALOG,
      clientId: 'c',
      scopes: [],
    },
    params: {},
    query: new Map(Object.entries(query)),
    ifModifiedSince: undefined,
    body: () => parseJsonObject(new TextEncoder().encode(text)),
  };
}

/** All receivers are allowed. */
export const judge = () => undefined;

export type Method = 'POST' | 'PUT' | 'PATCH';
export const good = { channel_id: '1', notify_url: 'https://example.com/', events: ['Leads.create'] };
export const readOne = (entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') =>
  readWatch(call(JSON.stringify({ watch: [entry] }), version), method, judge)[0];

export function request(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = readOne(entry, method, version);
  if (read?.kind !== 'read') throw new Error(JSON.stringify(read));
  return read.value;
}
export function settings(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = request(entry, method, version);
  return 'settings' in read ? read.settings : undefined;
}
export function refusal(entry: unknown, method: Method = 'POST', version: ApiVersion = 'v8') {
  const read = readOne(entry, method, version);
  return read?.kind === 'refused' ? read.refusal : read;
}

export const missing = (key: string, path = key) => ({
  code: 'MANDATORY_NOT_FOUND',
  message: 'required field not found',
  details: { api_name: key, json_path: `$.watch[0].${path}` },
});
export const invalid = (key: string, more: object = {}, path = key) => ({
  code: 'INVALID_DATA',
  message: 'invalid data',
  details: { ...more, api_name: key, json_path: `$.watch[0].${path}` },
});
export const wrongType = (type: string, key: string, path = key) => invalid(key, { expected_data_type: type }, path);
