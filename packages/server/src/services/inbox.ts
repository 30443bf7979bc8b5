import { AppError } from '../domain/error.ts';

/** One request that a receiver was sent. */
export interface InboxMessage {
  /** Counts all messages of this process from 1; never given twice. */
  readonly sequence: number;
  /** Real time, epoch ms. */
  readonly receivedAt: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface InboxView {
  readonly messages: readonly InboxMessage[];
  /** Messages of this name that the bounds pushed out before they were cleared. */
  readonly dropped: number;
}

interface InboxQuery {
  /** Only messages with a higher sequence. */
  readonly after: number;
  /** Answer as soon as this many are there. */
  readonly count: number;
  /** Wait at most this long for them. */
  readonly waitMs: number;
}

/** A receiver for people who have none yet: in memory, bounded, the oldest messages go first. */
export interface Inbox {
  put(name: string, message: Pick<InboxMessage, 'headers' | 'body'>): void;
  list(name: string, query: InboxQuery): Promise<InboxView>;
  clear(name: string): void;
  /** Answers all who wait with what there is. */
  close(): void;
}

export interface InboxOptions {
  /** Real time, epoch ms. */
  readonly realNow: () => number;
  readonly maxNames?: number;
  /** For each name. */
  readonly maxMessages?: number;
  /** Of all bodies and headers together, in UTF-16 units. */
  readonly maxSize?: number;
  readonly maxWaiting?: number;
}

interface Box {
  messages: InboxMessage[];
  dropped: number;
}

export function createInbox(options: InboxOptions): Inbox {
  const { realNow, maxNames = 100, maxMessages = 1_000, maxSize = 64 * 1024 * 1024, maxWaiting = 1_000 } = options;
  /** By name, least recently written first. */
  const boxes = new Map<string, Box>();
  const waiting = new Set<(name: string | undefined) => void>();
  let size = 0;
  let sequence = 0;
  let closed = false;

  function drop(box: Box): void {
    const oldest = box.messages.shift();
    if (!oldest) return;
    size -= sizeOf(oldest);
    box.dropped += 1;
  }

  function makeRoom(box: Box): void {
    if (box.messages.length > maxMessages) drop(box);
    while (size > maxSize) {
      const fullest = [...boxes.values()].filter(({ messages }) => messages.length > 0);
      const first = fullest.reduce((a, b) => (firstSequence(a) < firstSequence(b) ? a : b));
      drop(first);
    }
  }

  function forget(name: string): void {
    for (const message of boxes.get(name)?.messages ?? []) size -= sizeOf(message);
    boxes.delete(name);
  }

  const view = (name: string, after: number): InboxView => {
    const box = boxes.get(name);
    return { messages: box?.messages.filter((message) => message.sequence > after) ?? [], dropped: box?.dropped ?? 0 };
  };

  return {
    put(name, { headers, body }) {
      const box = boxes.get(name) ?? { messages: [], dropped: 0 };
      boxes.delete(name);
      const idlest = boxes.size >= maxNames ? boxes.keys().next().value : undefined;
      if (idlest !== undefined) forget(idlest);
      boxes.set(name, box);
      sequence += 1;
      const message = { sequence, receivedAt: realNow(), headers, body };
      box.messages.push(message);
      size += sizeOf(message);
      makeRoom(box);
      for (const wake of [...waiting]) wake(name);
    },

    list(name, { after, count, waitMs }) {
      const isEnough = () => closed || view(name, after).messages.length >= count;
      if (waitMs === 0 || isEnough()) return Promise.resolve(view(name, after));
      if (waiting.size >= maxWaiting) {
        return Promise.reject(new AppError('SERVICE_UNAVAILABLE', 'Too many callers wait for messages'));
      }
      return new Promise((resolve) => {
        const finish = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve(view(name, after));
        };
        const wake = (written: string | undefined) => {
          if ((written === undefined || written === name) && isEnough()) finish();
        };
        const timer = setTimeout(finish, waitMs);
        waiting.add(wake);
      });
    },

    clear: forget,

    close() {
      closed = true;
      for (const wake of [...waiting]) wake(undefined);
    },
  };
}

const firstSequence = (box: Box): number => box.messages[0]?.sequence ?? Infinity;

const sizeOf = ({ headers, body }: InboxMessage): number =>
  Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, body.length);
