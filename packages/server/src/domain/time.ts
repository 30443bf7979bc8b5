const QUARTER_MS = 15 * 60_000;
const MINUTE_MS = 60_000;
/** Offsets and texts kept for each zone; a flood of scattered times starts them anew instead of growing. */
const MAX_KEPT = 4096;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Minutes east of UTC, by quarter of an hour since the epoch: zones change their offset only between quarters. */
  readonly offsets: Map<number, number>;
  /** By second since the epoch: what is written together has few of them. */
  readonly texts: Map<number, string>;
}

const zones = new Map<string, Zone>();

/** Local time with a numeric offset and whole seconds, such as `2026-11-22T02:13:33+05:30`. */
export function formatTime(epochMs: number, timeZone: string): string {
  const zone = zones.get(timeZone) ?? openZone(timeZone);
  const second = Math.floor(epochMs / 1000);
  const known = zone.texts.get(second);
  if (known !== undefined) return known;
  const offset = offsetMinutes(epochMs, zone);
  const local = new Date(epochMs + offset * MINUTE_MS).toISOString().slice(0, 19);
  const size = Math.abs(offset);
  const text = `${local}${offset < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
  if (zone.texts.size >= MAX_KEPT) zone.texts.clear();
  zone.texts.set(second, text);
  return text;
}

const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:Z|([+-])(\d{2}):?(\d{2}))$/;
const MAX_OFFSET_HOURS = 18;

/** Epoch ms of an ISO 8601 time with `Z` or a numeric offset and without a fraction; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const parts = TIME.exec(text);
  if (!parts) return undefined;
  const [, date = '', hours, minutes, seconds, sign, offsetHours = '0', offsetRest = '0'] = parts;
  const day = parseDate(date);
  const clock = [Number(hours), Number(minutes), Number(seconds)] as const;
  if (day === undefined || clock[0] > 23 || clock[1] > 59 || clock[2] > 59) return undefined;
  if (Number(offsetHours) > MAX_OFFSET_HOURS || Number(offsetRest) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetRest)) * (sign === '-' ? -1 : 1);
  return day + ((clock[0] * 60 + clock[1] - offset) * 60 + clock[2]) * 1000;
}

/** Epoch ms of the day's midnight in UTC; undefined unless `text` is a real calendar date `YYYY-MM-DD`. */
export function parseDate(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const midnight = Date.parse(`${text}T00:00:00Z`);
  // `Date.parse` takes 30 February for 2 March.
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(text) ? midnight : undefined;
}

/** Whether `name` is an IANA time zone known here. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function offsetMinutes(epochMs: number, zone: Zone): number {
  const quarter = Math.floor(epochMs / QUARTER_MS);
  const known = zone.offsets.get(quarter);
  if (known !== undefined) return known;
  const offset = readOffset(zone.format.format(quarter * QUARTER_MS));
  if (zone.offsets.size >= MAX_KEPT) zone.offsets.clear();
  zone.offsets.set(quarter, offset);
  return offset;
}

function openZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', year: 'numeric' });
  const zone: Zone = { format, offsets: new Map(), texts: new Map() };
  zones.set(timeZone, zone);
  return zone;
}

/** From text that ends in `GMT+05:30`, or in `GMT` alone. */
function readOffset(formatted: string): number {
  const parts = /GMT([+-])(\d{2}):(\d{2})/.exec(formatted);
  if (!parts) return 0;
  return (Number(parts[2]) * 60 + Number(parts[3])) * (parts[1] === '-' ? -1 : 1);
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');
