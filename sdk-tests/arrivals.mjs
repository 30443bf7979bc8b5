import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { assertForm } from './owed.mjs';

const PATIENCE_MS = 10_000;

/**
 * A receiver of notifications on a free loopback port. What arrives is claimed by the case that caused it, and must then
 * have the form which the version that is driven owes. At the end one can see whether anything came that nobody expected.
 */
export async function startArrivals({ version, base }) {
  const arrived = [];
  const numbers = new Map();
  const claimed = new Set();
  const waiting = new Set();
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const notification = JSON.parse(Buffer.concat(chunks).toString());
    arrived.push(notification);
    numbers.set(notification, Number(request.headers['watchbell-sequence']));
    response.end();
    for (const look of [...waiting]) look();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  /** The first notification that came or comes, is not claimed yet, and fits. */
  function claim(fits, wanted) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = arrived.find((notification) => !claimed.has(notification) && fits(notification));
        if (!found) return;
        claimed.add(found);
        clearTimeout(timer);
        waiting.delete(look);
        try {
          assertForm(found, { version, base });
          resolve(found);
        } catch (error) {
          reject(error);
        }
      };
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`No notification of ${wanted} came. Unclaimed: ${JSON.stringify(unclaimed())}`));
      }, PATIENCE_MS);
      waiting.add(look);
      look();
    });
  }

  const unclaimed = () => arrived.filter((notification) => !claimed.has(notification));

  return {
    notifyUrl: `http://127.0.0.1:${server.address().port}/callback?key=a b`,
    arrived,
    unclaimed,
    /** The number that a notification came with: those of a channel are counted from 1. */
    numberOf: (notification) => numbers.get(notification),
    /** How many notifications were claimed, and so compared. */
    compared: () => claimed.size,
    /** Claims the notification of an operation on exactly these records; `fields` are what changed, the same in each. */
    async notified(module, operation, ids, fields) {
      const wanted = `${module} ${operation} ${ids}`;
      const same = (other) => other.length === ids.length && ids.every((id) => other.includes(id));
      const notification = await claim(
        (one) => one.module === module && one.operation === operation && same(one.ids),
        wanted,
      );
      if (fields) {
        const told = new Map(notification.affected_fields.flatMap((one) => Object.entries(one)));
        for (const id of ids) assert.deepEqual(told.get(id), fields, wanted);
      }
      return notification;
    },
    /** Claims the notifications that together tell of exactly these records, each once and at most 100 at a time. */
    async notifiedOfAll(module, operation, ids) {
      const left = new Set(ids);
      while (left.size > 0) {
        const fits = (one) =>
          one.module === module && one.operation === operation && one.ids.every((id) => left.has(id));
        const { ids: told } = await claim(fits, `${module} ${operation} of ${left.size} more`);
        assert.ok(told.length <= 100);
        for (const id of told) left.delete(id);
      }
    },
  };
}
