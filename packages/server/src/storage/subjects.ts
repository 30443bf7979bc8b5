import type { Change } from '../domain/change.ts';
import type { Notification } from '../domain/notification.ts';
import { type RecordRef, recordKey } from '../domain/record.ts';

/**
 * What a change is about, as a number of 53 bits: that of a record, or of a module. Two that have the same one by chance
 * are told apart by the change itself; it is a third as long in every key as what it stands for.
 */
export function subjectOf(module: string, record = ''): number {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  const text = `${module}\0${record}`;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 13;
  }
  return (mixed(high) & 0x1fffff) * 2 ** 32 + (mixed(low ^ high) >>> 0);
}

/** So that each bit depends on each. */
function mixed(bits: number): number {
  const once = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  const twice = Math.imul(once ^ (once >>> 15), 0x846ca68b);
  return twice ^ (twice >>> 16);
}

/** The records that a change is about, each once: its own, and those that they point, or pointed, at. */
export function recordsOf({ module, records }: Pick<Change, 'module' | 'records'>): RecordRef[] {
  const [only] = records;
  if (only && records.length === 1 && only.related.length === 0) return [{ module, id: only.id }];
  const subjects = new Map<string, RecordRef>();
  for (const { id, related } of records) {
    subjects.set(recordKey(module, id), { module, id });
    for (const ref of related) subjects.set(recordKey(ref.module, ref.id), ref);
  }
  return [...subjects.values()];
}

/** Of each change the subjects of its records, and of the modules that its notifications are about. */
export function subjectsOf(
  changes: readonly Change[],
  notifications: readonly Notification[],
): ReadonlyMap<number, ReadonlySet<number>> {
  const subjects = new Map(
    changes.map((change) => [change.number, new Set(recordsOf(change).map(({ module, id }) => subjectOf(module, id)))]),
  );
  const modules = new Map<string, number>();
  for (const { module, change } of notifications) {
    const subject = modules.get(module) ?? subjectOf(module);
    modules.set(module, subject);
    const ofChange = subjects.get(change.number);
    if (ofChange) ofChange.add(subject);
    else subjects.set(change.number, new Set([subject]));
  }
  return subjects;
}
