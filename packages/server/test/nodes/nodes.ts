import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Flags } from '../../src/settings.ts';
import { createDatabase } from '../support/postgres/database.ts';

export interface Node {
  readonly app: App;
  readonly base: string;
  stop(): Promise<void>;
  /** The operator's calls. */
  ask(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: unknown }>;
}

/** Of one database, in the dev profile; all that they leave goes when the test is over. */
export interface Cluster {
  readonly url: string;
  readonly dataDir: string;
  /** With real clocks: the database's time. */
  start(flags?: Flags): Promise<Node>;
}

/** A machine that runs many tests at once is slow at times. */
const PATIENT: Flags = { databaseConnectTimeout: '30', databaseLockTimeout: '30', databaseIdleTimeout: '30' };

export async function setUpCluster(): Promise<Cluster> {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  const dataDir = temporaryDirectory();
  return {
    url,
    dataDir,
    async start(flags = {}) {
      const config = loadConfig(
        'dev',
        { port: '0', dataDir, databaseUrl: url, logLevel: 'silent', ...PATIENT, ...flags },
        {},
      );
      const app = await createApp(config);
      let stopped: Promise<void> | undefined;
      const stop = (): Promise<void> => {
        stopped ??= app.stop();
        return stopped;
      };
      onTestFinished(stop);
      const { base } = await app.start();
      return {
        app,
        base,
        stop,
        async ask(method, path, body) {
          const response = await fetch(`${base}${path}`, {
            method,
            headers: { authorization: 'Bearer dev-admin' },
            ...(body && { body: JSON.stringify(body) }),
          });
          const text = await response.text();
          return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
        },
      };
    },
  };
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'watchbell-nodes-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
