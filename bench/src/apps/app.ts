import type { Moments, Serial, Shape } from '../system.ts';
import { pace } from './pace.ts';

/** What an app works with. */
export interface AppSetting {
  readonly shape: Shape;
  /** Of its Redis or PostgreSQL. */
  readonly storeUrl: string;
}

/** A user's program that takes events and has them POSTed, in a process of its own. */
export interface App {
  /** Resolves when all are in the store, as safe as it keeps them. */
  take(from: Serial, events: number): Promise<void>;
  /** The same for a single one, as it comes of itself. */
  takeOne(serial: Serial): Promise<void>;
  stop(): Promise<void>;
}

export type Order =
  | { readonly kind: 'start'; readonly setting: AppSetting }
  | { readonly kind: 'take'; readonly from: Serial; readonly events: number }
  | { readonly kind: 'steady'; readonly from: Serial; readonly perSecond: number; readonly seconds: number }
  | { readonly kind: 'stop' };

export type Reply =
  | { readonly kind: 'done'; readonly moments?: Moments }
  | { readonly kind: 'failed'; readonly message: string };

/** Carries out the orders of the process that started this one, one at a time, and ends when that one ends. */
export function serveApp(start: (setting: AppSetting) => Promise<App>): void {
  let running: App | undefined;

  async function carryOut(order: Order): Promise<Moments | undefined> {
    if (order.kind === 'start') {
      running = await start(order.setting);
      return undefined;
    }
    if (running === undefined) throw new Error('not started');
    switch (order.kind) {
      case 'take':
        await running.take(order.from, order.events);
        return undefined;
      case 'steady': {
        const { takeOne } = running;
        return pace(order.perSecond, order.seconds, (nth) => takeOne(order.from + nth));
      }
      case 'stop':
        await running.stop();
        return undefined;
    }
  }

  const reply = (said: Reply): void => void process.send?.(said);
  process.on('message', (order) => {
    carryOut(order as Order).then(
      (moments) => reply({ kind: 'done', ...(moments !== undefined && { moments }) }),
      (error: unknown) => reply({ kind: 'failed', message: error instanceof Error ? `${error.stack}` : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
  // Ctrl-C reaches all processes of a terminal; this one ends with the one that gives orders.
  process.on('SIGINT', () => {});
}

/** Serials in their order, so many at once. */
export function* inBatches(from: Serial, events: number, size: number): Generator<readonly Serial[]> {
  for (let at = 0; at < events; at += size)
    yield Array.from({ length: Math.min(size, events - at) }, (_, i) => from + at + i);
}
