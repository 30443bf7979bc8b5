import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, type Credentials, createClient } from '@watchbell/client';
import { readCredentials, startServerProcess } from '../support/server-process.ts';
import { removeData } from '../support/test-data.ts';

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
  return { base: server.base, dataDir, client: signedIn(readCredentials(dataDir)), stop };

  async function stop(): Promise<void> {
    await server.kill('SIGTERM');
    await removeData(dataDir);
  }
}

/** A client with the content of a credentials file. */
export const signedIn = ({
  base = '',
  client_id = '',
  client_secret = '',
  refresh_token = '',
}: Partial<Credentials>): Client =>
  createClient({ base, clientId: client_id, clientSecret: client_secret, refreshToken: refresh_token });
