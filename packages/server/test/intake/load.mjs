import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const RECORDS = 10_000;
/** Bodies that are sent over and over. */
const BODIES = 64;
const STAGES = ['New', 'Paid', 'Packed', 'Sent', 'Returned'];

export async function startReceiver() {
  const child = fork(fileURLToPath(new URL('receiver.mjs', import.meta.url)));
  const [{ port }] = await once(child, 'message');
  async function received() {
    child.send('count');
    const [{ received: count }] = await once(child, 'message');
    return count;
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    /** Resolves when so many have come, or none has come for ten seconds. */
    async has(count) {
      let last = -1;
      let since = Date.now();
      for (;;) {
        const now = await received();
        if (now >= count) return;
        if (now !== last) since = Date.now();
        else if (Date.now() - since > 10_000) throw new Error(`${now} of ${count} notifications came`);
        last = now;
        await delay(20);
      }
    },
    close: () => child.disconnect(),
  };
}

/** A body of `changes` changes of `records` records each: updates of orders, about 200 bytes a record. */
function bodyOf(turn, changes, records) {
  const at = (n) => (turn * changes * records + n) % RECORDS;
  const record = (n) => ({
    id: `order-${at(n)}`,
    old_values: { Stage: STAGES[at(n) % 5], Total: at(n), Note: 'as it was' },
    values: { Stage: STAGES[(at(n) + 1) % 5], Total: at(n), Note: `as it is after turn ${turn}` },
  });
  const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  return JSON.stringify({
    changes: list(changes, (i) => ({
      module: 'Orders',
      operation: 'update',
      records: list(records, (k) => record(i * records + k)),
    })),
  });
}

/** Sends for so long, from so many callers that each wait for their answers; how many changes were taken, and how fast. */
export async function sendChanges(send, { changes, records, callers, seconds }) {
  const bodies = Array.from({ length: BODIES }, (_, turn) => bodyOf(turn, changes, records));
  const began = performance.now();
  const end = began + seconds * 1000;
  let turn = 0;
  let calls = 0;
  let owed = 0;
  let slowest = 0;
  async function call() {
    while (performance.now() < end) {
      const sent = performance.now();
      const { status, body } = await send(bodies[turn++ % BODIES]);
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
      slowest = Math.max(slowest, performance.now() - sent);
      calls += 1;
      for (const change of body.changes) owed += change.notifications;
    }
  }
  await Promise.all(Array.from({ length: callers }, call));
  const took = (performance.now() - began) / 1000;
  return { calls, owed, took, slowest, changes: calls * changes, records: calls * changes * records };
}
