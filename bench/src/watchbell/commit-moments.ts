import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** When a record was committed, in microseconds of the monotonic clock. */
export interface CommittedRecord {
  readonly at: number;
  readonly id: string;
}

export interface CommitMoments {
  /** For node, so that the server notes its commits. */
  readonly nodeFlags: readonly string[];
  /** All since this was asked the last time, in their order; when it is asked first, noting begins. */
  read(): Promise<readonly CommittedRecord[]>;
}

export function commitMoments(dir: string): CommitMoments {
  const path = join(dir, 'committed.sock');
  const preload = new URL('./committed.js', import.meta.url);
  preload.searchParams.set('socket', path);
  return {
    nodeFlags: ['--import', preload.href],
    async read() {
      const lines = (await text(connect(path))).split('\n').filter((line) => line !== '');
      return lines.flatMap((line) => {
        const [nanos = '', ...ids] = line.split(' ');
        const at = Number(nanos) / 1000;
        return ids.map((id) => ({ at, id }));
      });
    },
  };
}
