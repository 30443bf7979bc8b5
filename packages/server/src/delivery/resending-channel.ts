import type { Channel } from '../domain/channel.ts';

/** The channel of a job as it is stored, never older than a given age and read again when a commit concerns it. */
export interface KnownChannel {
  /** Undefined: it was not read yet. */
  channel(): Channel | undefined;
  hasEnded(): boolean;
  /** An attempt may go by it. */
  isFresh(): boolean;
  isReading(): boolean;
  /** Reads it again before it is too old. */
  refresh(): void;
  /** A commit concerns it. */
  forget(): void;
}

export interface KnownChannelOptions {
  /** Answers undefined when it was given up. */
  readonly read: () => Promise<
    { readonly rows: { readonly channel: Channel; readonly lastSucceeded?: boolean } | undefined } | undefined
  >;
  /** Real time, milliseconds. */
  readonly maxAge: number;
  /** `lastSucceeded` only the first time. */
  readonly onRead: (channel: Channel, lastSucceeded: boolean | undefined) => void;
  readonly onDone: () => void;
}

export function createKnownChannel({ read, maxAge, onRead, onDone }: KnownChannelOptions): KnownChannel {
  let channel: Channel | undefined;
  let hasEnded = false;
  let isReading = false;
  /** When it was asked for, by the process's own clock. */
  let since = -Infinity;
  /** Counts the commits about it. */
  let changes = 0;

  async function readNow(): Promise<void> {
    isReading = true;
    const asked = performance.now();
    const before = changes;
    const answered = await read();
    isReading = false;
    if (answered) {
      const stored = answered.rows;
      hasEnded = stored === undefined;
      if (stored) {
        onRead(stored.channel, channel ? undefined : stored.lastSucceeded);
        channel = stored.channel;
        // What was committed while it was read is read again.
        if (changes === before) since = asked;
      }
    }
    onDone();
  }

  return {
    channel: () => channel,
    hasEnded: () => hasEnded,
    isFresh: () => channel !== undefined && performance.now() - since <= maxAge,
    isReading: () => isReading,
    refresh() {
      if (!isReading && performance.now() - since > maxAge / 2) void readNow();
    },
    forget() {
      changes += 1;
      since = -Infinity;
    },
  };
}
