// Loaded into the server before it starts (`node --import`): notes when which records were committed, and tells it to
// whoever connects to the socket that the query of this file's URL names.
import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:net';

interface Committed {
  readonly changes: readonly { readonly ids: readonly string[] }[];
}

let lines: string[] = [];

subscribe('watchbell:committed', (message) => {
  const at = process.hrtime.bigint();
  for (const { ids } of (message as Committed).changes) lines.push(`${at} ${ids.join(' ')}\n`);
});

const path = new URL(import.meta.url).searchParams.get('socket');
createServer((socket) => {
  socket.end(lines.join(''));
  lines = [];
})
  .listen(path)
  .unref();
