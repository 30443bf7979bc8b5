import type { Change } from './change.ts';
import type { LiveChannel, Owed } from './channel.ts';
import { type ChannelIndex, watching } from './channel-index.ts';
import { type FieldCondition, passes } from './condition.ts';
import type { RecordId } from './ids.ts';

/** Which channels watch this. */
type Watching = (module: string, operation: Change['operation']) => Iterable<LiveChannel>;

/**
 * What each live channel is owed for a change: the changed records of its own module, and, where the channel asks for
 * related actions, an update of the records that the changed ones point at (reference §5.6).
 * One entry for each channel, subject module and operation.
 */
export const match = (change: Change, index: ChannelIndex): Owed[] =>
  owedTo(change, (module, operation) => watching(index, module, operation));

/** What `match` finds for this channel, in the same order; whether it is live is for the caller to know. */
export const matchOne = (change: Change, channel: LiveChannel): Owed[] =>
  owedTo(change, (module, operation) => (watches(channel, module, operation) ? [channel] : []));

function owedTo(change: Change, watchers: Watching): Owed[] {
  const owed: Owed[] = [];
  const related = relatedIds(change);
  const all: RecordId[] = [];
  for (const record of change.records) all.push(record.id);
  const own = related.get(change.module);
  const ownAsUpdate = change.operation === 'update' ? own : undefined;

  for (const channel of watchers(change.module, change.operation)) {
    const changed = change.operation === 'update' ? passingIds(change, channel, all) : all;
    const isMore = ownAsUpdate && takesRelated(channel, change.module);
    const ids = isMore ? [...new Set([...changed, ...ownAsUpdate])] : changed;
    if (ids.length > 0) owed.push({ channel, module: change.module, operation: change.operation, ids });
  }
  for (const [module, ids] of related) {
    if (ids === ownAsUpdate) continue;
    for (const channel of watchers(module, 'update')) {
      if (takesRelated(channel, module)) owed.push({ channel, module, operation: 'update', ids: [...ids] });
    }
  }
  return owed;
}

export const watches = ({ events }: LiveChannel, module: string, operation: Change['operation']): boolean =>
  events.some((event) => event.module === module && event.operation === operation);

/** A condition asks for changed fields, and a related action changes none of the subject's. */
export const takesRelated = (channel: LiveChannel, module: string): boolean =>
  channel.notifyOnRelated && conditionOn(channel, module) === undefined;

export const conditionOn = ({ conditions }: LiveChannel, module: string): FieldCondition | undefined =>
  conditions.find((condition) => condition.module === module);

/** `all` of its ids, unless a condition leaves some out. */
function passingIds(change: Change, channel: LiveChannel, all: readonly RecordId[]): readonly RecordId[] {
  const condition = conditionOn(channel, change.module);
  if (!condition) return all;
  return change.records.filter((record) => passes(condition.rule, record.fields)).map((record) => record.id);
}

const NONE: ReadonlyMap<string, ReadonlySet<RecordId>> = new Map();

/** Without the changed records themselves, which are owed as what they are: a deleted one is not also updated. */
function relatedIds(change: Change): ReadonlyMap<string, ReadonlySet<RecordId>> {
  if (change.records.every((record) => record.related.length === 0)) return NONE;
  const related = new Map<string, Set<RecordId>>();
  const changed = new Set(change.records.map((record) => record.id));
  for (const record of change.records) {
    for (const { module, id } of record.related) {
      if (changed.has(id) && module === change.module) continue;
      const ids = related.get(module);
      if (ids) ids.add(id);
      else related.set(module, new Set([id]));
    }
  }
  return related;
}
