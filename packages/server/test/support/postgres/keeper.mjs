// Outlives whoever started a server, however that ended: ends the server and removes what it made.
// Standard input: a line with the process id of each server started (0: none runs); its end is the end.
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const [directory] = process.argv.slice(2);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
let server = 0;
for await (const line of createInterface({ input: process.stdin })) server = Number(line);

/** False when it is there no more. */
function signal(name) {
  try {
    return process.kill(server, name);
  } catch {
    return false;
  }
}

/** An orphan that has ended may be listed until its new parent takes note. */
function isRunning() {
  if (!signal(0)) return false;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${server}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

if (server > 0 && signal('SIGQUIT')) {
  for (let waited = 0; waited < 10_000 && isRunning(); waited += 20) await delay(20);
  if (isRunning()) signal('SIGKILL');
}
rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
