import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';

/** Origins that an organisation's notices did not reach: until when none is sent there. One of them tries it then. */
export interface Failing {
  has(org: OrgId, origin: string): boolean;
  /** Epoch ms; 0 when it is not failing. */
  until(org: OrgId, origin: string): number;
  failed(org: OrgId, origin: string, now: number): void;
  reached(org: OrgId, origin: string): void;
  forget(org: OrgId): void;
}

const MOST = 10_000;
const LONGEST_MS = 300_000;

export function rememberFailing({ retrySchedule }: Pick<DeliveryPolicy, 'retrySchedule'>): Failing {
  /** First failed first. */
  const known = new Map<string, { readonly times: number; readonly until: number }>();
  const keyOf = (org: OrgId, origin: string): string => `${org} ${origin}`;

  return {
    has: (org, origin) => known.has(keyOf(org, origin)),
    until: (org, origin) => known.get(keyOf(org, origin))?.until ?? 0,
    failed(org, origin, now) {
      const { times = 0, until = 0 } = known.get(keyOf(org, origin)) ?? {};
      // Begun before it was known.
      if (until > now) return;
      const wait = retrySchedule[Math.min(times + 1, retrySchedule.length - 1)] ?? 0;
      known.set(keyOf(org, origin), { times: times + 1, until: now + Math.min(wait, LONGEST_MS) });
      if (known.size <= MOST) return;
      for (const first of known.keys()) {
        known.delete(first);
        return;
      }
    },
    reached: (org, origin) => void known.delete(keyOf(org, origin)),
    forget(org) {
      for (const key of known.keys()) if (key.startsWith(`${org} `)) known.delete(key);
    },
  };
}
