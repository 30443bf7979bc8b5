import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One notification as it arrived. */
export interface Arrival {
  readonly id: string;
  readonly generation: string;
  readonly number: number;
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
  /** The value of Description for each record, where the notification has values. */
  readonly descriptions: ReadonlyMap<string, string>;
}

export interface Recorder {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** Resolves once `done` holds; asked again at each arrival. */
  until(done: () => boolean, deadlineMs: number): Promise<boolean>;
  close(): void;
}

interface Body {
  readonly module: string;
  readonly operation: string;
  readonly ids: readonly string[];
  readonly affected_values?: readonly {
    readonly record_id: string;
    readonly values: { readonly Description?: string };
  }[];
}

/** A well receiver that remembers everything in order of arrival. It outlives the servers that are killed. */
export async function startRecorder(): Promise<Recorder> {
  const arrivals: Arrival[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      const header = (name: string) => String(request.headers[name]);
      arrivals.push({
        id: header('webhook-id'),
        generation: header('watchbell-generation'),
        number: Number(header('watchbell-sequence')),
        module: body.module,
        operation: body.operation,
        ids: body.ids,
        descriptions: new Map(
          (body.affected_values ?? []).flatMap(({ record_id, values }) =>
            values.Description === undefined ? [] : [[record_id, values.Description] as const],
          ),
        ),
      });
      response.end();
      for (const wake of waiting) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    arrivals,
    until: (done, deadlineMs) =>
      new Promise((resolve) => {
        const finish = (met: boolean) => {
          waiting.delete(check);
          clearTimeout(timer);
          resolve(met);
        };
        const check = () => {
          if (done()) finish(true);
        };
        const timer = setTimeout(() => finish(done()), deadlineMs);
        waiting.add(check);
        check();
      }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
