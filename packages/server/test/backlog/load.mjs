import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../volume/figures.mjs';

const CALLERS = 16;

/** A host: well but below `/gone`, where it answers 404, and below `/hangs`, where it never answers. */
export async function startReceiver() {
  let received = 0;
  /** Milliseconds from commit to arrival. */
  let took;
  const server = createServer(async (request, response) => {
    const arrived = performance.timeOrigin + performance.now();
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.url.startsWith('/hangs')) return;
    if (request.url.startsWith('/gone')) response.writeHead(404);
    response.end();
    if (response.statusCode === 404) return;
    received += 1;
    took?.push(arrived - JSON.parse(text).server_time);
  });
  // Many that hang, and are given up by the server, are no fault.
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
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

const PER_CALL = 100;

/** Ids of so many new contacts. */
export async function addContacts(call, count) {
  const ids = [];
  while (ids.length < count) {
    const data = Array.from({ length: Math.min(PER_CALL, count - ids.length) }, (_, i) => ({
      Last_Name: `Contact ${ids.length + i}`,
    }));
    const { status, body } = await call('POST', '/Contacts', { data });
    if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
    ids.push(...body.data.map(({ details }) => details.id));
  }
  return ids;
}

/** Opens a channel on all changes of contacts for each URL; their ids are 1, 2, 3 … */
export async function watch(call, urls) {
  const channel_expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  const rest = { events: ['Contacts.all'], channel_expiry, notify_on_related_action: false };
  for (let i = 0; i < urls.length; i += PER_CALL) {
    const some = urls.slice(i, i + PER_CALL);
    const channels = some.map((notify_url, k) => ({ channel_id: String(i + k + 1), notify_url, ...rest }));
    const { status, body } = await call('POST', '/actions/watch', { watch: channels });
    if (status !== 201) throw new Error(JSON.stringify(body));
  }
}

/** An origin where nothing listens. */
export async function deadOrigin() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

let serial = 0;

/** Changes one of the records. */
export async function edit(call, records) {
  serial += 1;
  const id = records[(serial * 7919) % records.length];
  const { status, body } = await call('PUT', `/Contacts/${id}`, { data: [{ Description: `Edit ${serial}` }] });
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
}

/** Records a second that are taken in over HTTP, one a call, each caller going on when it is answered. */
export async function intake(call, records, seconds) {
  const start = performance.now();
  let count = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() - start < seconds * 1000) {
        await edit(call, records);
        count += 1;
      }
    }),
  );
  return { count, rate: (count * 1000) / (performance.now() - start) };
}

/** Records taken in at a fixed rate, and how long it took from commit to the well receiver. */
export async function latency(call, receiver, records, { rate, seconds }) {
  const before = receiver.received();
  const result = receiver.watch();
  const start = performance.now();
  const answers = [];
  for (let n = 0; n < rate * seconds; n += 1) {
    const wait = start + (n * 1000) / rate - performance.now();
    if (wait > 1) await delay(wait);
    answers.push(edit(call, records));
  }
  await Promise.all(answers);
  await receiver.has(before + answers.length);
  const took = result();
  return { count: answers.length, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}
