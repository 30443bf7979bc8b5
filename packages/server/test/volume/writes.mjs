import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './figures.mjs';

let owed = 0;
let serial = 0;

/** Watches contacts with a receiver of its own. */
export async function openChannel(server) {
  let received = 0;
  const receiver = createServer((request, response) => {
    received += 1;
    request.resume().on('end', () => response.end());
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const notify_url = `http://127.0.0.1:${receiver.address().port}/`;
  const channel_expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  const watch = [{ channel_id: '1', events: ['Contacts.all'], notify_url, channel_expiry }];
  const { status, body } = await server.call('POST', '/actions/watch', { watch });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return {
    received: () => received,
    owed: () => owed,
    /** Resolves when all that is owed has come, or a minute has passed. */
    async drained() {
      for (let i = 0; received < owed && i < 600; i += 1) await delay(100);
    },
    async close() {
      receiver.close();
      receiver.closeAllConnections();
    },
  };
}

/**
 * Updates contacts at a fixed rate, whether or not earlier answers have come, so that a delay counts for all writes that
 * it delays. Milliseconds from when a write was due to its answer.
 */
export async function write(server, ids, { rate, seconds, until }) {
  const took = [];
  let failed = 0;
  const pending = new Set();
  const start = performance.now();
  const goesOn = (n) => (until ? !until() : n < rate * seconds);
  for (let n = 0; goesOn(n); n += 1) {
    const due = start + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await delay(wait);
    serial += 1;
    const id = ids[serial % ids.length];
    const answer = server.call('PUT', `/Contacts/${id}`, { data: [{ Description: `Write ${serial}` }] }).then(
      ({ status }) => {
        took.push(performance.now() - due);
        if (status === 200) owed += 1;
        else failed += 1;
      },
      () => {
        failed += 1;
      },
    );
    pending.add(answer);
    answer.finally(() => pending.delete(answer));
  }
  await Promise.all(pending);
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99), max: quantile(took, 1), failed };
}
