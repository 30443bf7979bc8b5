import type { ChannelRevision, LiveChannel } from '../domain/channel.ts';
import type { OrgId } from '../domain/ids.ts';
import { type LifeEvent, lifeEventsOf } from '../domain/life-cycle.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Tells of what happens to channels as log lines and counts, whether or not anybody is sent it. */
export interface LifeCycleLog {
  /** By the node that committed it, and by no other. */
  committed(org: OrgId, revisions: readonly ChannelRevision[]): void;
  /** Numbers that were cancelled: by the node that found that some of them were owed. */
  cancelled(org: OrgId, channel: LiveChannel, numbers: { readonly from: number; readonly to: number }): void;
}

export function createLifeCycleLog({
  metrics,
  logger,
}: {
  readonly metrics: Pick<Metrics, 'channelEvents'>;
  readonly logger: Logger;
}): LifeCycleLog {
  function tell(org: OrgId, channel: LiveChannel, event: string, facts: object = {}): void {
    metrics.channelEvents.inc({ event });
    const { channelId, generation } = channel;
    const fields = { org, channel: channelId, generation, event, ...facts };
    if (WARNED.has(event)) logger.warn(fields, `channel ${event}`);
    else logger.info(fields, `channel ${event}`);
  }

  return {
    committed(org, revisions) {
      for (const revision of revisions) {
        const { kind, channel } = revision;
        if (kind === 'overflowed' || kind === 'flowing') tell(org, channel, kind);
        for (const event of lifeEventsOf(revision)) {
          const facts = factsOf(event, channel);
          if (facts) tell(org, channel, event.kind, facts);
        }
      }
    },
    cancelled: (org, channel, { from, to }) =>
      tell(org, channel, 'missed', { range: 'numbers', fromNumber: from, toNumber: to }),
  };
}

/** Somebody has to do something about these. */
const WARNED: ReadonlySet<string> = new Set(['suspended', 'missed', 'overflowed']);

/** Undefined: it is not known yet whether there is anything to tell. */
function factsOf(event: LifeEvent, { expiresAt }: LiveChannel): object | undefined {
  switch (event.kind) {
    case 'expiring':
    case 'expired':
      return { expiresAt };
    case 'suspended':
      return event.why ? { why: event.why } : {};
    case 'resumed':
      return {};
    case 'missed': {
      const { range } = event;
      return range.kind === 'numbers'
        ? undefined
        : { range: range.kind, fromChange: range.fromChange + 1, toChange: range.toChange };
    }
  }
}
