// Writes records over HTTP from a process of its own: over bare sockets, so that it takes little of the machine from
// what is measured.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { monotonicMicros } from '../processes.ts';
import type { LoadDone, MarkedOrder } from '../watchbell/load.ts';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Resolves with the answer's status, its body when it is no 200. */
type Send = (request: string) => Promise<{ readonly status: number; readonly text: string }>;

/** One connection with one request at a time. */
async function openLine(port: number): Promise<{ readonly send: Send; readonly socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let rest: Buffer = Buffer.alloc(0);
  let answered: ((value: { status: number; text: string }) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const head = rest.indexOf(END_OF_HEAD);
    if (head < 0) return;
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(rest.toString('latin1', 0, head)) ?? [];
    const end = head + 4 + Number(length ?? 0);
    if (rest.length < end) return;
    const status = Number(rest.toString('latin1', 9, 12));
    const text = status === 200 ? '' : rest.toString('utf8', head + 4, end);
    rest = Buffer.alloc(0);
    answered?.({ status, text });
  });
  socket.on('error', (error) => failed?.(error));
  socket.on('close', () => failed?.(new Error('the connection was closed')));
  return {
    socket,
    send: (request) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        failed = reject;
        socket.write(request);
      }),
  };
}

/** About 600 bytes of a notification when there is one record, with what else it tells. */
const textOf = (serial: number, order: MarkedOrder): string =>
  `t:${String(serial).padStart(12, '0')} ${'a text of a usual length, '.repeat(20)}`.slice(0, order.textLength);

function requestOf(order: MarkedOrder, serial: number): string {
  const { ids, module, perCall, accessToken } = order;
  const id = (i: number): string => ids[((serial - order.from) * perCall + i) % ids.length] ?? '';
  const Description = textOf(serial, order);
  const data = Array.from({ length: perCall }, (_, i) =>
    perCall === 1 ? { Description } : { id: id(i), Description },
  );
  const body = JSON.stringify({ data });
  const path = perCall === 1 ? `/crm/v8/${module}/${id(0)}` : `/crm/v8/${module}`;
  return `PUT ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Zoho-oauthtoken ${accessToken}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

async function carryOut(order: MarkedOrder): Promise<LoadDone> {
  const lines = await Promise.all(
    Array.from({ length: order.callers }, (_, i) => openLine(order.ports[i % order.ports.length] ?? 0)),
  );
  let next = 0;
  const firstAt = monotonicMicros();
  await Promise.all(
    lines.map(async ({ send }) => {
      while (next < order.calls) {
        const serial = order.from + next++;
        const { status, text } = await send(requestOf(order, serial));
        if (status !== 200) throw new Error(`${status} ${text}`);
      }
    }),
  );
  const lastAt = monotonicMicros();
  for (const { socket } of lines) socket.destroy();
  return { kind: 'done', firstAt, lastAt };
}

process.on('message', (order: MarkedOrder) => {
  carryOut(order).then(
    (done) => process.send?.(done),
    (error) => process.send?.({ kind: 'failed', message: String(error) } satisfies LoadDone),
  );
});
process.on('disconnect', () => process.exit());
