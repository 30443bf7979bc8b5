import { AppError } from './error.ts';
import { parseTime } from './time.ts';

/** No clock is moved beyond. */
const LATEST = Date.UTC(2100, 0, 1);

const DAY_MS = 86_400_000;
const UNITS_MS = [DAY_MS, 3_600_000, 60_000, 1000];

/** Where a clock is to be moved: to a time, or on by a duration. */
export interface ClockMove {
  /** ISO 8601 with `Z` or a numeric offset. */
  readonly to?: string | undefined;
  /** Such as `90s`, `2h`, `1d12h`. */
  readonly by?: string | undefined;
}

/** Milliseconds of days, hours, minutes and seconds in this order, such as `1d12h`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?$/.exec(text);
  if (!parts || text === '') return undefined;
  return UNITS_MS.reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0);
}

/** Epoch ms of a time whose seconds may have a fraction, of which milliseconds count. */
export function parseMoment(text: string): number | undefined {
  const [, before = '', fraction = '', zone = ''] = /^([^.]+)\.(\d{1,9})(\D.*)$/.exec(text) ?? [undefined, text];
  const time = parseTime(before + zone);
  return time === undefined ? undefined : time + Math.floor(Number(`0.${fraction || 0}`) * 1000);
}

/** Epoch ms to which a clock that shows `now` is to be moved. Throws what is wrong with it. */
export function targetOf(now: number, { to, by }: ClockMove): number {
  if ((to === undefined) === (by === undefined)) {
    throw new AppError('INVALID_DATA', 'Give either to, a time, or by, a duration', { api_name: 'to' });
  }
  const field = to === undefined ? 'by' : 'to';
  const refuse = (what: string): never => {
    throw new AppError('INVALID_DATA', what, { api_name: field, now: new Date(now).toISOString() });
  };
  const target = to === undefined ? on(now, by) : parseMoment(to);
  if (target === undefined) {
    const how =
      field === 'by'
        ? 'must be days, hours, minutes and seconds, such as 90s, 2h or 1d12h'
        : 'must be an ISO 8601 time with seconds and an offset, such as 2026-01-31T12:00:00Z';
    return refuse(`${field} ${how}`);
  }
  if (target < now) return refuse('The clock cannot be set back');
  if (target > LATEST) return refuse('The clock cannot be set beyond the year 2099');
  return target;
}

function on(now: number, by: string | undefined): number | undefined {
  const duration = by === undefined ? undefined : parseDuration(by);
  return duration === undefined ? undefined : now + duration;
}
