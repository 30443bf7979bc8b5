import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../ports.ts';
import { endWithThis } from '../processes.ts';
import { type ProcessUsage, usageOfTree } from './usage.ts';

const START_TIMEOUT_MS = 10_000;

/** When what was written reaches the disk: by each answer, or within a second. */
export type Fsync = 'always' | 'everysec';

export interface RedisServer {
  readonly url: string;
  usage(): ProcessUsage;
  close(): Promise<void>;
}

/** A Redis on loopback that keeps a log of what is written in `dir`, which is the caller's to remove. */
export async function startRedis(dir: string, fsync: Fsync): Promise<RedisServer> {
  const port = await freePort();
  const keeps = ['--dir', dir, '--appendonly', 'yes', '--appendfsync', fsync, '--save', ''];
  // As with PostgreSQL's checkpoints: no rewriting of the log amid a round.
  const calm = ['--auto-aof-rewrite-min-size', '4gb'];
  const args = ['--port', String(port), '--bind', '127.0.0.1', ...keeps, ...calm, '--loglevel', 'warning'];
  const server = spawn('redis-server', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  endWithThis(server);
  const exited = once(server, 'exit');
  const close = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
  };
  const { pid } = server;
  if (pid === undefined) throw new Error('redis-server could not be started');
  try {
    await answers(port);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, usage: () => usageOfTree(pid), close };
}

async function answers(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 20) {
    try {
      await client.connect();
      await client.ping();
      client.disconnect();
      return;
    } catch {
      await delay(20);
    }
  }
  throw new Error('redis-server does not answer');
}
