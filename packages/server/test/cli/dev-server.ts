import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@watchbell/client';
import { readCredentials, startServerProcess } from '../support/server-process.ts';

export interface DevServer {
  readonly base: string;
  readonly dataDir: string;
  readonly client: Client;
  stop(): Promise<void>;
}

/** A server of the dev profile in a process of its own, and a client signed in to it. */
export async function startDevServer(): Promise<DevServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-cli-'));
  const server = await startServerProcess({ dataDir, port: 0 });
  return { base: server.base, dataDir, client: clientOf(dataDir), stop };

  async function stop(): Promise<void> {
    await server.kill('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function clientOf(dataDir: string): Client {
  const credentials = readCredentials(dataDir);
  return createClient({
    base: credentials.base ?? '',
    clientId: credentials.client_id ?? '',
    clientSecret: credentials.client_secret ?? '',
    refreshToken: credentials.refresh_token ?? '',
  });
}
