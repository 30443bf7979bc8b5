// Moves a store until so much of it is copied or compared, and is killed there.
import { moveStore } from '../../dist/storage/engines/move-store.js';

const [dataDir, url, doing, part] = process.argv.slice(2);
await moveStore({
  dataDir,
  url,
  keys: { key: new Uint8Array(32).fill(7), former: [] },
  onProgress(progress) {
    if (progress.doing === doing && progress.rows >= progress.ofRows * Number(part))
      process.kill(process.pid, 'SIGKILL');
  },
});
