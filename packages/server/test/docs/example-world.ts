import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { dataFlags, removeData } from '../support/test-data.ts';

export const ORG = '3652397';
const CHANNEL = '1000000068001';
const OTHER = '1000000068002';
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/';

export interface ExampleWorld {
  readonly base: string;
  readonly dataDir: string;
  /** What the examples of the docs may name. */
  readonly variables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

/**
 * A server of the dev profile with one channel that was sent a notification, and one that its receiver did not take and
 * that is parked; the inbox `docs` is its receiver. Another channel is suspended and owes one. Orders live elsewhere.
 */
export async function startExampleWorld(): Promise<ExampleWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-examples-'));
  const flags = { port: '0', ...(await dataFlags(dataDir)), logLevel: 'silent', retrySchedule: '0s' };
  const app = await createApp(loadConfig('dev', flags, {}));
  const { base } = await app.start();
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  });
  const signedIn = (await (await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: form })).json()) as Loose;
  const TOKEN: string = signedIn.access_token;

  async function crm(method: string, path: string, body: object): Promise<Loose> {
    const headers = { authorization: `Zoho-oauthtoken ${TOKEN}` };
    const answer = await fetch(`${base}/crm/v8${path}`, { method, headers, body: JSON.stringify(body) });
    const read = (await answer.json()) as Loose;
    if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(read)}`);
    return read;
  }
  const operate: Operate = async (...call) => {
    const answer = await operatorOf(base)(...call);
    if (answer.status > 201) throw new Error(`${call[0]} ${call[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const channel_expiry = `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 19)}+00:00`;
  const watch = (method: string, channel_id: string, notify_url: string) =>
    crm(method, '/actions/watch', {
      watch: [{ channel_id, events: ['Contacts.all'], notify_url, channel_expiry, token: 'docs' }],
    });
  const contact = (Last_Name: string, more: object = {}) =>
    crm('POST', '/Contacts', { data: [{ Last_Name, Email: `${Last_Name.toLowerCase()}@example.com`, ...more }] });
  await operate('POST', `/orgs/${ORG}/modules`, {
    api_name: 'Orders',
    singular: 'Order',
    plural: 'Orders',
    external: true,
    fields: [
      { api_name: 'Stage', type: 'text' },
      { api_name: 'Total', type: 'double' },
    ],
  });
  const inbox = `${base}/_watchbell/inbox/docs`;

  await watch('POST', CHANNEL, inbox);
  const first = await contact('Lovelace', { First_Name: 'Ada' });
  const RECORD: string = first.data[0].details.id;
  await app.idle();
  await watch('PATCH', CHANNEL, NOWHERE);
  await contact('Hopper', { First_Name: 'Grace' });
  await app.idle();
  await watch('PATCH', CHANNEL, inbox);
  await watch('POST', OTHER, inbox);
  const listed: Loose = (await operate('GET', `/orgs/${ORG}/channels`)).body;
  const generationOf = (id: string): string =>
    listed.channels.find(({ channel_id }: Loose) => channel_id === id).generation;
  await operate('POST', `/orgs/${ORG}/channels/${generationOf(OTHER)}/suspend`);
  await crm('PUT', '/Contacts', { data: [{ id: RECORD, Phone: '555 0100' }] });
  await app.idle();

  return {
    base,
    dataDir,
    variables: {
      BASE: base,
      ADMIN_TOKEN: 'dev-admin',
      TOKEN,
      ORG,
      CHANNEL,
      GENERATION: generationOf(CHANNEL),
      NUMBER: '1',
      PARKED: '2',
      RECORD,
      MODULE: 'Contacts',
    },
    async stop() {
      await app.stop();
      await removeData(dataDir);
    },
  };
}
