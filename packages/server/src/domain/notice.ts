import type { Generation, OrgId } from './ids.ts';
import type { LifeEventKind } from './life-cycle.ts';

export type NoticeState = 'pending' | 'delivered' | 'parked';
export const NOTICE_STATES: readonly NoticeState[] = ['pending', 'delivered', 'parked'];

/** What is told of one event in a channel's life: a POST to its life-cycle URL, or to its organisation's. */
export interface Notice {
  /** Of the channel revision that it tells of, and which of its events. */
  readonly version: number;
  readonly part: number;
  /** As the header `webhook-id` has it; the same on every attempt. */
  readonly id: string;
  readonly generation: Generation;
  readonly kind: LifeEventKind;
  /** JSON, as it is sent. */
  readonly body: string;
  readonly state: NoticeState;
  /** When it happened, epoch ms. */
  readonly at: number;
  readonly attemptsMade: number;
  /** Of its next attempt, while pending; epoch ms. */
  readonly dueAt: number;
}

/** Told by what it is of: whoever makes it twice makes the same. A restored store may come to the same version again. */
export const noticeId = (org: OrgId, { version, part, at }: Pick<Notice, 'version' | 'part' | 'at'>): string =>
  `ntc_${org}_${version}_${part}_${at.toString(36)}`;

/** Which notice of the organisation an id is of; undefined: of none. */
export function placeOfNotice(org: OrgId, id: string): Pick<Notice, 'version' | 'part'> | undefined {
  const found = /^ntc_(\d{7})_([1-9]\d{0,14})_(\d{1,3})_[0-9a-z]{1,10}$/.exec(id);
  return found?.[1] === org ? { version: Number(found[2]), part: Number(found[3]) } : undefined;
}
