import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../volume/figures.mjs';

const CALLERS = 16;

/** A receiver that is well, for all rounds. */
export async function startReceiver() {
  let received = 0;
  /** Milliseconds from commit to arrival. */
  let took;
  const server = createServer(async (request, response) => {
    const arrived = performance.timeOrigin + performance.now();
    let text = '';
    for await (const chunk of request) text += chunk;
    response.end();
    received += 1;
    took?.push(arrived - JSON.parse(text).server_time);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    received: () => received,
    /** Resolves when so many have come; at the latest after a minute. */
    async has(count) {
      for (let i = 0; received < count && i < 600; i += 1) await delay(100);
    },
    /** Starts to note how long notifications took; the result ends it. */
    watch() {
      took = [];
      return () => {
        const noted = took;
        took = undefined;
        return noted;
      };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A URL where nothing listens. */
export async function deadUrl() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}/`;
}

let serial = 0;

async function edit(server, records) {
  serial += 1;
  const id = records[(serial * 7919) % records.length];
  const { status, body } = await server.call('PUT', `/Contacts/${id}`, { data: [{ Description: `Edit ${serial}` }] });
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
}

/** Records a second that are taken in over HTTP, one a call, each caller going on when it is answered. */
export async function intake(server, records, seconds) {
  const start = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() - start < seconds * 1000) {
        await edit(server, records);
        count += 1;
      }
    }),
  );
  return { count, rate: (count * 1000) / (performance.now() - start) };
}

/** Records taken in at a fixed rate, and how long it took from commit to the well receiver. */
export async function latency(server, receiver, records, { rate, seconds }) {
  const before = receiver.received();
  const result = receiver.watch();
  const start = performance.now();
  const answers = [];
  for (let n = 0; n < rate * seconds; n += 1) {
    const wait = start + (n * 1000) / rate - performance.now();
    if (wait > 1) await delay(wait);
    answers.push(edit(server, records));
  }
  await Promise.all(answers);
  await receiver.has(before + answers.length);
  const took = result();
  return { count: answers.length, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}
