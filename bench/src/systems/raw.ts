import type { System } from '../system.ts';
import { type Store, startApp } from './app-process.ts';

const NOTHING: Store = { url: '', usage: () => ({ cpu: 0, residentBytes: 0 }), close: async () => {} };

const createRaw = (name: string, app: string): System => ({
  name,
  durability: 'keeps nothing',
  start: ({ shape }) => startApp(app, shape, NOTHING),
});

/** undici's `Pool.request`, as an application calls it. */
export const raw = createRaw('raw', 'raw-app');
/** undici's `Pool.dispatch`: the least that it does for a request. */
export const rawDispatch = createRaw('raw-dispatch', 'raw-dispatch-app');
