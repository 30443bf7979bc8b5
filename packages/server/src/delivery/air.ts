import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';

/** Bounds the bytes of what is being sent, over all lanes and for each organisation (P5, P10). */
export interface Air {
  /**
   * Takes room for one notification. Undefined: it was there at once; else a promise of it, in turn. After `stop` all are
   * let in. Answers to a call of `leave` with the same bytes.
   */
  enter(org: OrgId, bytes: number): Promise<void> | undefined;
  leave(org: OrgId, bytes: number): void;
}

interface Waiting {
  readonly org: OrgId;
  readonly bytes: number;
  readonly go: () => void;
}

export function createAir(
  { airBytes, orgShare }: Pick<DeliveryPolicy, 'airBytes' | 'orgShare'>,
  stop: AbortSignal,
): Air {
  const most = { all: airBytes, org: airBytes * orgShare };
  let used = 0;
  const usedBy = new Map<OrgId, number>();
  let queue: Waiting[] = [];

  /** One that is larger than a share counts as a whole one, so that it is sent at all. */
  const counted = (bytes: number): number => Math.min(bytes, most.org);

  const hasShare = (org: OrgId, bytes: number): boolean => (usedBy.get(org) ?? 0) + counted(bytes) <= most.org;
  const hasRoom = (bytes: number): boolean => used + counted(bytes) <= most.all;

  function count(org: OrgId, bytes: number): void {
    used += bytes;
    const own = (usedBy.get(org) ?? 0) + bytes;
    if (own > 0) usedBy.set(org, own);
    else usedBy.delete(org);
  }

  /** The longest waiting first. Who lacks a share keeps its own organisation waiting, who lacks room everybody. */
  function admit(): void {
    const passed = new Set<OrgId>();
    let isFull = false;
    queue = queue.filter(({ org, bytes, go }) => {
      const waits = isFull || passed.has(org) || !hasShare(org, bytes) || !hasRoom(bytes);
      if (waits && !stop.aborted) {
        isFull ||= !passed.has(org) && hasShare(org, bytes);
        passed.add(org);
        return true;
      }
      count(org, counted(bytes));
      go();
      return false;
    });
  }

  stop.addEventListener('abort', admit, { once: true });

  return {
    enter(org, bytes) {
      const isOvertaking = queue.some((waiting) => waiting.org === org || hasShare(waiting.org, waiting.bytes));
      if (stop.aborted || (!isOvertaking && hasShare(org, bytes) && hasRoom(bytes))) {
        count(org, counted(bytes));
        return undefined;
      }
      return new Promise((go) => {
        queue.push({ org, bytes, go });
      });
    },
    leave(org, bytes) {
      count(org, -counted(bytes));
      if (queue.length > 0) admit();
    },
  };
}
