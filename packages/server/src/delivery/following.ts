import type { OrgId } from '../domain/ids.ts';
import type { ClusterEvents } from './cluster.ts';
import type { Lane } from './lane-context.ts';
import type { Lanes } from './lanes.ts';
import type { Hold } from './ownership.ts';
import type { Receivers } from './receivers.ts';
import type { Revisions } from './revisions.ts';
import type { OrgSignings } from './signatures.ts';
import type { Slots } from './slots.ts';
import type { TakingUp } from './taking-up.ts';

/** Who else follows what other nodes do. */
export interface Others {
  /** Something of an organisation's channels, or the organisation, is another than it was. */
  readonly changed: (org: OrgId) => void;
  /** It is not known of which organisations something is. */
  readonly lookAtAll: () => void;
}

/** What follows what other nodes do. */
export interface Following {
  readonly lanes: Lanes;
  readonly slots: Pick<Slots, 'deal'>;
  readonly receivers: Pick<Receivers, 'forgetThose'>;
  readonly orgSignings: Pick<OrgSignings, 'forget'>;
  readonly takingUp: TakingUp;
  readonly revisions: Pick<Revisions, 'take'>;
  readonly forget: (org: OrgId) => void;
  readonly others: Others;
  /** Something may have ended. */
  readonly check: () => void;
}

/** Says for each event among nodes what becomes of lanes. `parts` is asked when something happens, not before. */
export function followOthers(parts: () => Following): ClusterEvents {
  const lanesOf = (org: OrgId): Lane[] => [...parts().lanes.all()].filter((lane) => lane.org === org);
  const lanesIn = (holds: readonly Hold[]): Lane[] =>
    [...parts().lanes.all()].filter(({ hold }) => holds.includes(hold));
  return {
    onGained(holds) {
      void parts().takingUp.holds(holds);
      parts().others.lookAtAll();
    },
    onLost(holds) {
      for (const lane of lanesIn(holds)) lane.drop();
      parts().lanes.letGo(holds);
    },
    onDraining(holds) {
      for (const lane of lanesIn(holds)) lane.leave();
      parts().lanes.letGo(holds);
    },
    onOpen() {
      const { slots, lanes } = parts();
      slots.deal();
      for (const lane of lanes.all()) lane.wake();
    },
    onKnown(org) {
      for (const lane of lanesOf(org)) lane.wake();
    },
    onSuspended(org, isSuspended) {
      const { lanes, takingUp, others } = parts();
      if (lanes.suspend(org, isSuspended)) void takingUp.org(org);
      others.changed(org);
    },
    onSigning: (org) => parts().orgSignings.forget(org),
    onGone(org) {
      for (const lane of lanesOf(org)) lane.end();
      parts().forget(org);
    },
    onOtherHistory(org) {
      const { lanes, receivers, takingUp, others } = parts();
      lanes.unknownOf(org);
      // Every id made in an organisation begins with its own.
      receivers.forgetThose((generation) => generation.startsWith(org));
      for (const lane of lanesOf(org)) lane.beginAnew();
      void takingUp.org(org);
      others.changed(org);
    },
    onAnew() {
      void parts().takingUp.all();
      parts().others.lookAtAll();
    },
    onNumbered(org, numbers) {
      const { lanes } = parts();
      for (const [generation, number] of numbers) lanes.reaches(org, generation, number);
    },
    onRevised(org, revised) {
      parts().others.changed(org);
      return parts().revisions.take(org, revised);
    },
    onRead: () => parts().check(),
  };
}
