// Loaded into the server before it starts (`node --import`): when somebody has connected to the socket that the query
// of this file's URL names, notes when which records are committed, and tells it to whoever connects again.
import { subscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:net';

interface Committed {
  readonly changes: readonly { readonly ids: readonly string[] }[];
}

let lines: string[] | undefined;

function note(message: unknown): void {
  const at = process.hrtime.bigint();
  for (const { ids } of (message as Committed).changes) lines?.push(`${at} ${ids.join(' ')}\n`);
}

const path = new URL(import.meta.url).searchParams.get('socket');
createServer((socket) => {
  if (lines === undefined) subscribe('watchbell:committed', note);
  else socket.write(lines.join(''));
  lines = [];
  socket.end();
})
  .listen(path)
  .unref();
