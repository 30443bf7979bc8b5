import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AppSetting, Order, Reply } from '../apps/app.ts';
import { endWithThis } from '../processes.ts';
import { type ProcessUsage, usageOfTree } from '../services/usage.ts';
import type { Moments, Running, Usage } from '../system.ts';

/** What an app keeps its events in. */
export interface Store {
  readonly url: string;
  usage(): ProcessUsage;
  close(): Promise<void>;
}

/** Starts `apps/NAME.ts` in a process of its own; the store ends with it. */
export async function startApp(name: string, shape: AppSetting['shape'], store: Store): Promise<Running> {
  const child = fork(fileURLToPath(new URL(`../apps/${name}.js`, import.meta.url)), { serialization: 'advanced' });
  endWithThis(child);
  const exited = once(child, 'exit');
  const ended: Promise<never> = exited.then(() => {
    throw new Error(`${name} ended by itself`);
  });
  ended.catch(() => {});

  async function carryOut(order: Order): Promise<Moments | undefined> {
    child.send(order);
    const [reply] = (await Promise.race([once(child, 'message'), ended])) as [Reply];
    if (reply.kind === 'failed') throw new Error(`${name}: ${reply.message}`);
    return reply.moments;
  }

  async function end(): Promise<void> {
    if (child.connected) child.disconnect();
    await exited;
    await store.close();
  }

  try {
    await carryOut({ kind: 'start', setting: { shape, storeUrl: store.url } });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    async take(from, events) {
      await carryOut({ kind: 'take', from, events });
    },
    async steady(from, perSecond, seconds) {
      const moments = await carryOut({ kind: 'steady', from, perSecond, seconds });
      if (moments === undefined) throw new Error(`${name} told no moments`);
      return moments;
    },
    async usage(): Promise<Usage> {
      const own = usageOfTree(child.pid ?? 0);
      const database = store.usage();
      return {
        cpu: own.cpu,
        databaseCpu: database.cpu,
        residentBytes: own.residentBytes + database.residentBytes,
      };
    },
    async stop() {
      try {
        await carryOut({ kind: 'stop' });
      } finally {
        await end();
      }
    },
  };
}
