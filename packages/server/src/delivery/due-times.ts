import type { Clock } from '../domain/clock.ts';

/** Wakes lanes at their times with one timer for all of them. */
export interface DueTimes<Key> {
  /** Calls `wake(key)` once at `time`; takes the place of the time the key had. */
  set(key: Key, time: number): void;
  remove(key: Key): void;
  stop(): void;
}

interface Entry<Key> {
  readonly time: number;
  readonly key: Key;
}

export function createDueTimes<Key>(clock: Clock, wake: (key: Key) => void): DueTimes<Key> {
  /** A binary heap, earliest first. An entry counts only while it is its key's newest. */
  let heap: Entry<Key>[] = [];
  const newest = new Map<Key, Entry<Key>>();
  let armed: { readonly time: number; readonly cancel: () => void } | undefined;
  let isStopped = false;

  function arm(): void {
    if (isStopped) return;
    if (heap.length > 64 && heap.length > newest.size * 2) {
      heap = [...newest.values()].sort((a, b) => a.time - b.time);
    }
    let first = heap[0];
    while (first && newest.get(first.key) !== first) {
      pop(heap);
      first = heap[0];
    }
    if (armed?.time === first?.time) return;
    armed?.cancel();
    armed = first && { time: first.time, cancel: clock.at(first.time, ring) };
  }

  function ring(): void {
    armed = undefined;
    const now = clock.now();
    for (let first = heap[0]; first && first.time <= now; first = heap[0]) {
      pop(heap);
      if (newest.get(first.key) !== first) continue;
      newest.delete(first.key);
      wake(first.key);
    }
    arm();
  }

  return {
    set(key, time) {
      if (newest.get(key)?.time === time) return;
      const entry = { key, time };
      newest.set(key, entry);
      push(heap, entry);
      arm();
    },
    remove(key) {
      if (newest.delete(key)) arm();
    },
    stop() {
      isStopped = true;
      armed?.cancel();
    },
  };
}

function push<Key>(heap: Entry<Key>[], entry: Entry<Key>): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || parent.time <= entry.time) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = entry;
}

function pop<Key>(heap: Entry<Key>[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const isRight = left && right && right.time < left.time;
    const child = isRight ? right : left;
    if (!child || child.time >= last.time) break;
    heap[at] = child;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
}
