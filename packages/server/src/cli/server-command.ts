import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import type { ExitCode } from './errors.ts';
import { note } from './output.ts';
import { unusable } from './settings.ts';
import { aborted, onStop } from './signals.ts';

/** Serves until a signal, then stops gracefully: what was begun is finished and saved. */
export async function runServer(config: Config, onReady: (base: string) => void | Promise<void>): Promise<ExitCode> {
  const stop = onStop();
  const app: App = await createApp(config);
  try {
    const { base } = await app.start();
    await onReady(base);
    await aborted(stop.signal);
    note('Stopping: finishing what was begun. A second signal stops at once.');
    return 0;
  } catch (error) {
    // A file that a setting names is read at the start.
    throw unusable(error);
  } finally {
    await app.stop();
    stop.release();
  }
}
