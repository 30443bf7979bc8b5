// Outlives whoever started a server, however that ended: ends the server and removes what it made.
// Standard input: a line with the process id of each server started (0: none runs); its end is the end.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const [directory] = process.argv.slice(2);
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

if (server > 0 && signal('SIGQUIT')) {
  for (let waited = 0; waited < 10_000 && signal(0); waited += 20) await delay(20);
  signal('SIGKILL');
}
rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
