import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCredentials, startServerProcess } from '../support/server-process.ts';
import { signIn } from '../support/writing.ts';

const CALLS = 20;
const canTrace = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

/**
 * The trace as a row of events: `S` when a sync of the store's log has returned, `A` when an answer 201 goes out.
 * A call that another thread interrupts in the trace is on two lines: begun, and resumed with its result.
 */
function eventsOf(trace: string): string {
  const syncing = new Set<string>();
  const events: string[] = [];
  for (const line of trace.split('\n')) {
    const pid = /^(?:\[pid\s+)?(\d+)/.exec(line)?.[1] ?? '';
    const isLogSync = /f(?:data)?sync\(\d+<[^>]*-wal>/.test(line);
    if (isLogSync && line.includes('<unfinished')) syncing.add(pid);
    else if (isLogSync && line.endsWith('= 0')) events.push('S');
    else if (/<\.\.\. f(?:data)?sync resumed>.*= 0$/.test(line) && syncing.delete(pid)) events.push('S');
    else if (/\bwritev?\(\d+<.*HTTP\/1\.1 201/.test(line)) events.push('A');
  }
  return events.join('');
}

test('a trace is read with interrupted calls in the order in which they returned', () => {
  const trace = [
    '10 fdatasync(5</d/watchbell.sqlite-wal> <unfinished ...>',
    '11 fsync(6</d/other>) = 0',
    '10 <... fdatasync resumed>) = 0',
    '9 writev(20<TCP:[1]>, [{iov_base="HTTP/1.1 201 Created"}], 1) = 20',
    '9 write(20<TCP:[1]>, "HTTP/1.1 201 Created", 20) = 20',
  ];
  expect(eventsOf(trace.join('\n'))).toBe('SAA');
});

test.skipIf(!canTrace)(
  'the store is synced before each write is answered (needs strace)',
  { timeout: 120_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-fsync-'));
    const output = join(dataDir, 'trace');
    const wrapper = ['strace', '-D', '-f', '-yy', '-s', '16', '-e', 'trace=fsync,fdatasync,write,writev', '-o', output];
    const server = await startServerProcess({ dataDir, port: 0, wrapper });
    try {
      const token = await signIn(server.base, readCredentials(dataDir));
      const before = eventsOf(readFileSync(output, 'utf8')).length;
      for (let n = 0; n < CALLS; n += 1) {
        const response = await fetch(`${server.base}/crm/v8/Leads`, {
          method: 'POST',
          headers: { authorization: `Zoho-oauthtoken ${token}` },
          body: JSON.stringify({ data: [{ Last_Name: `L${n}`, Company: 'C' }] }),
        });
        expect(response.status).toBe(201);
      }
      const events = eventsOf(readFileSync(output, 'utf8')).slice(before);
      // One answer at a time, and before each at least one sync that returned after the answer before it.
      expect(events).toMatch(new RegExp(`^(S+A){${CALLS}}S*$`));
      // Nothing else is owed: hardly any more than those.
      expect(events.split('S').length - 1).toBeLessThanOrEqual(CALLS + 3);
      process.stdout.write(`${CALLS} answers, syncs and answers in order: ${events}\n`);
    } finally {
      await server.kill('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
);
