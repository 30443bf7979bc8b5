import type { Change } from '../domain/change.ts';
import type { Notification } from '../domain/notification.ts';
import { type RecordRef, recordKey } from '../domain/record.ts';

/** Of an id of digits, what follows counts up: such ids stay beside each other. */
const TAIL_DIGITS = 9;

/**
 * What a change is about, as a number of 53 bits: that of a record, or of a module. Two that have the same one by chance
 * are told apart by the change itself; it is a third as long in every key as what it stands for. Ids that were given one
 * after the other are numbers one after the other, so that what is new is not strewn over the whole of an index.
 */
export function subjectOf(module: string, record = ''): number {
  const head = record.length - TAIL_DIGITS;
  const tail = head > 0 ? digitsFrom(record, head) : undefined;
  let low = 0x811c9dc5;
  let high = 0x01000193;
  const length = tail === undefined ? record.length : head;
  // Of both, with a zero between them.
  for (let i = 0; i <= module.length + length; i += 1) {
    const unit =
      i < module.length ? module.charCodeAt(i) : i > module.length ? record.charCodeAt(i - module.length - 1) : 0;
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 13;
  }
  return (mixed(high ^ (tail === undefined ? 0 : low)) & 0x1fffff) * 2 ** 32 + (tail ?? mixed(low ^ high) >>> 0);
}

/** Undefined where something else stands there. */
function digitsFrom(text: string, from: number): number | undefined {
  let number = 0;
  for (let i = from; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number;
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

/** Of each change the subjects of its records, and of the modules that its notifications are about; each once. */
export function subjectsOf(
  changes: readonly Change[],
  notifications: readonly Notification[],
): ReadonlyMap<number, readonly number[]> {
  const subjects = new Map<number, number[]>();
  for (const { number, module, records } of changes) {
    const own: number[] = [];
    for (const { id, related } of records) {
      own.push(subjectOf(module, id));
      for (const ref of related) own.push(subjectOf(ref.module, ref.id));
    }
    subjects.set(number, own.length < 2 ? own : [...new Set(own)]);
  }
  const modules = new Map<string, number>();
  for (const { module, change } of notifications) {
    const subject = modules.get(module) ?? subjectOf(module);
    modules.set(module, subject);
    const known = subjects.get(change.number);
    if (!known) subjects.set(change.number, [subject]);
    // Mostly the last, since one before this took it.
    else if (known.at(-1) !== subject && !known.includes(subject)) known.push(subject);
  }
  return subjects;
}
