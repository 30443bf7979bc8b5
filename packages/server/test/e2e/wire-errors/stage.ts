import { request } from 'node:http';
import type { ApiVersion } from '../../../src/domain/wire/api-version.ts';
import type { Flags } from '../../../src/settings.ts';
import { openHttp } from '../../support/http.ts';
import { type LiveApp, startLiveApp } from '../../support/live-app.ts';
import { type Ask, SOUND, type Stage, WATCH, type Who, watch } from './row.ts';

export interface Heard {
  readonly status: number;
  /** As sent: key order counts. */
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** A server in the state that an error needs. */
export interface OpenStage {
  ask(version: ApiVersion, ask: Ask): Promise<Heard>;
  close(): Promise<void>;
}

const UNKNOWN = `1000.${'0'.repeat(32)}.${'0'.repeat(32)}`;
const REAL_NOW = Date.UTC(2026, 0, 5, 9);

export async function openStage(stage: Stage): Promise<OpenStage> {
  switch (stage) {
    case 'served':
      return liveStage({});
    case 'limited': {
      const open = await liveStage({ rateLimit: '1' });
      await open.ask('v8', { method: 'GET', path: WATCH });
      return open;
    }
    case 'guessed': {
      const open = await liveStage({ maxWrongTokens: '1' });
      await open.ask('v8', { method: 'GET', path: WATCH, by: 'unknown' });
      return open;
    }
    case 'full': {
      const open = await liveStage({});
      for (let call = 0; call < 100; call++) {
        const entries = Array.from({ length: 100 }, (_, i) => ({ ...SOUND, channel_id: -1 - call * 100 - i }));
        const { status, text } = await open.ask('v8', { method: 'POST', path: WATCH, body: watch(...entries) });
        if (status !== 201) throw new Error(text);
      }
      return open;
    }
    case 'buggy':
    case 'storeless':
      return brokenStage(stage);
  }
}

async function liveStage(flags: Flags): Promise<OpenStage> {
  const time = { now: REAL_NOW };
  const app = await startLiveApp({ flags, realNow: () => time.now });
  const tokens = await tokensFor(app, time);
  return {
    ask: (version: ApiVersion, ask: Ask) => send(app.base, version, ask, tokens[ask.by ?? 'usual']),
    close: () => app.stop(),
  };
}

/** What each caller sends as `Authorization`; undefined: no such header. */
async function tokensFor(app: LiveApp, time: { now: number }): Promise<Record<Who | 'usual', string | undefined>> {
  const header = (token: string) => `Zoho-oauthtoken ${token}`;
  const expired = app.owner.accessToken;
  time.now += 3_600_000;
  const usual = await app.colleague({ deniedModules: ['Invoices'] });
  const revoked = await app.colleague();
  const form = new URLSearchParams({ token: revoked.accessToken });
  await fetch(`${app.base}/oauth/v2/token/revoke`, { method: 'POST', body: form });
  const narrow = await app.colleague({ scopes: ['ZohoCRM.notifications.DELETE'] });
  const otherFamily = await app.colleague({ scopes: ['ZohoCRM.modules.ALL', 'ZohoCRM.settings.ALL'] });
  return {
    usual: header(usual.accessToken),
    nobody: undefined,
    'other-scheme': `Basic ${usual.accessToken}`,
    tokenless: 'Zoho-oauthtoken ',
    unknown: header(UNKNOWN),
    endless: header('1'.repeat(600)),
    expired: header(expired),
    revoked: header(revoked.accessToken),
    narrow: header(narrow.accessToken),
    'other-family': header(otherFamily.accessToken),
  };
}

async function brokenStage(stage: 'buggy' | 'storeless'): Promise<OpenStage> {
  const http = await openHttp({
    extend(app) {
      if (stage === 'storeless') return;
      app.addHook('preHandler', async () => {
        throw new TypeError('a bug with a secret in its message');
      });
    },
  });
  const token = `Zoho-oauthtoken ${await http.signIn()}`;
  const base = await http.app.listen({ host: '127.0.0.1', port: 0 });
  if (stage === 'storeless') await http.store.close();
  return {
    ask: (version, ask) => send(base, version, ask, token),
    close: () => http.close(),
  };
}

/** Any method, a body with any, and a header only where there is one. */
function send(base: string, version: ApiVersion, ask: Ask, authorization: string | undefined): Promise<Heard> {
  const path = ask.path.startsWith('/') ? ask.path : `/crm/${version}/${ask.path}`;
  // Node frames a body by itself only with some methods.
  const headers = {
    ...(authorization !== undefined && { authorization }),
    ...(ask.body !== undefined && { 'content-length': Buffer.byteLength(ask.body) }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { method: ask.method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: answer.statusCode ?? 0, text, retryAfter: answer.headers['retry-after'] });
      });
    });
    sent.on('error', reject);
    sent.end(ask.body);
  });
}
