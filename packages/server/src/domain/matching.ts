import type { Change } from './change.ts';
import type { LiveChannel, Owed } from './channel.ts';
import { type ChannelIndex, watching } from './channel-index.ts';
import { passes } from './condition.ts';
import type { RecordId } from './ids.ts';

/**
 * What each live channel is owed for a change: the changed records of its own module, and, where the channel asks for
 * related actions, an update of the records that the changed ones point at (reference §5.6).
 * One entry for each channel, subject module and operation.
 */
export function match(change: Change, index: ChannelIndex): Owed[] {
  const owed: Owed[] = [];
  const related = relatedIds(change);
  const all = change.records.map((record) => record.id);
  const own = related.get(change.module);
  const ownAsUpdate = change.operation === 'update' ? own : undefined;

  for (const channel of watching(index, change.module, change.operation)) {
    const ids = new Set(change.operation === 'update' ? passingIds(change, channel) : all);
    if (ownAsUpdate && takesRelated(channel, change.module)) for (const id of ownAsUpdate) ids.add(id);
    if (ids.size > 0) owed.push({ channel, module: change.module, operation: change.operation, ids: [...ids] });
  }
  for (const [module, ids] of related) {
    if (ids === ownAsUpdate) continue;
    for (const channel of watching(index, module, 'update')) {
      if (takesRelated(channel, module)) owed.push({ channel, module, operation: 'update', ids: [...ids] });
    }
  }
  return owed;
}

/** A condition asks for changed fields, and a related action changes none of the subject's. */
const takesRelated = (channel: LiveChannel, module: string): boolean =>
  channel.notifyOnRelated && !channel.conditions.some((condition) => condition.module === module);

function passingIds(change: Change, channel: LiveChannel): RecordId[] {
  const condition = channel.conditions.find(({ module }) => module === change.module);
  const passing = condition ? change.records.filter((record) => passes(condition.rule, record.fields)) : change.records;
  return passing.map((record) => record.id);
}

/** Without the changed records themselves, which are owed as what they are: a deleted one is not also updated. */
function relatedIds(change: Change): Map<string, Set<RecordId>> {
  const related = new Map<string, Set<RecordId>>();
  const changed = new Set(change.records.map((record) => record.id));
  for (const record of change.records) {
    for (const { module, id } of record.related) {
      if (changed.has(id)) continue;
      const ids = related.get(module);
      if (ids) ids.add(id);
      else related.set(module, new Set([id]));
    }
  }
  return related;
}
