import type { ChannelRevision } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { OrgId } from '../domain/ids.ts';
import { type LifeEvent, lifeEventsOf } from '../domain/life-cycle.ts';
import { type Notice, noticeId } from '../domain/notice.ts';
import { noticeBody } from '../domain/wire/notice-body.ts';
import type { NoticeFacts, NoticeStore } from '../storage/store.ts';
import type { LifeCycleLog } from './life-cycle-log.ts';

export interface Making {
  readonly store: Pick<NoticeStore, 'facts' | 'firstCancelled'>;
  readonly clock: Clock;
  readonly log: Pick<LifeCycleLog, 'cancelled'>;
}

/** What there is to tell of the revisions, of channels that are told somewhere. */
export async function noticesOf(
  org: OrgId,
  revisions: readonly ChannelRevision[],
  { store, clock, log }: Making,
): Promise<Notice[]> {
  const told = revisions.flatMap((revision) =>
    lifeEventsOf(revision).map((event, part) => ({ revision, event, part })),
  );
  if (told.length === 0) return [];
  const generations = [...new Set(told.map(({ revision }) => revision.channel.generation))];
  const missed = told.flatMap(({ event, revision: { channel } }) =>
    event.kind === 'missed' && event.range.kind !== 'numbers'
      ? [{ generation: channel.generation, fromChange: event.range.fromChange }]
      : [],
  );
  const facts = await store.facts(org, generations, missed);
  const numbers = told.flatMap((one) => numbersOf(one.event, one.revision) ?? []);
  const firsts = await store.firstCancelled(org, numbers);
  const found = new Map(numbers.map((range, i) => [range, firsts[i]] as const));
  const notices: Notice[] = [];
  for (const { revision, event, part } of told) {
    const { channel, version, at } = revision;
    const range = numbers.find((one) => one.revision === revision && one.event === event);
    const firstNumber = range && found.get(range);
    if (range && firstNumber === undefined) continue;
    if (range && firstNumber !== undefined) log.cancelled(org, channel, { from: firstNumber, to: range.to });
    if (!facts.listening.has(channel.generation)) continue;
    const id = noticeId(org, { version, part, at });
    const lapse = lapseOf(event, revision, facts);
    notices.push({
      version,
      part,
      id,
      generation: channel.generation,
      kind: event.kind,
      body: noticeBody({
        id,
        org,
        revision,
        event,
        ...(lapse && { lapse }),
        ...(firstNumber !== undefined && { firstNumber }),
      }),
      state: 'pending',
      at,
      attemptsMade: 0,
      dueAt: clock.now(),
    });
  }
  return notices;
}

function numbersOf(event: LifeEvent, revision: ChannelRevision) {
  if (event.kind !== 'missed' || event.range.kind !== 'numbers') return undefined;
  const { fromNumber: from, toNumber: to } = event.range;
  return { generation: revision.channel.generation, from, to, revision, event };
}

/** The one whose changes are missed. */
function lapseOf(event: LifeEvent, { channel }: ChannelRevision, { lapses }: NoticeFacts) {
  if (event.kind !== 'missed' || event.range.kind === 'numbers') return undefined;
  const { kind, fromChange } = event.range;
  return lapses.find(
    (lapse) =>
      lapse.generation === channel.generation &&
      lapse.fromChange === fromChange &&
      lapse.kind === (kind === 'lapse' ? 'expired' : 'overflow'),
  );
}
