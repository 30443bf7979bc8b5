import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MS = 120_000;

/** A well host that keeps, path by path, how often each number came, of itself and marked as sent again. */
export async function startReceiver() {
  const paths = new Map();
  const of = (path) => {
    const known = paths.get(path) ?? { live: 0, took: undefined, again: new Map(), marked: 0 };
    paths.set(path, known);
    return known;
  };
  const server = createServer(async (request, response) => {
    const arrived = performance.timeOrigin + performance.now();
    let text = '';
    for await (const chunk of request) text += chunk;
    response.end();
    const at = of(request.url);
    if (request.headers['watchbell-replay'] === undefined) {
      at.live += 1;
      at.took?.push(arrived - JSON.parse(text).server_time);
      return;
    }
    const number = Number(request.headers['watchbell-sequence']);
    at.again.set(number, (at.again.get(number) ?? 0) + 1);
    at.marked += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    of,
    /** Resolves when so many have come unmarked; rejects after two minutes. */
    async has(path, count) {
      for (const start = performance.now(); of(path).live < count; await delay(20)) {
        if (performance.now() - start > WAIT_MS) throw new Error(`${of(path).live} of ${count} came to ${path}`);
      }
    },
    /** Starts to note how long what comes unmarked took from its commit; the result ends it. */
    watch(path) {
      of(path).took = [];
      return () => {
        const { took } = of(path);
        of(path).took = undefined;
        return took;
      };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
