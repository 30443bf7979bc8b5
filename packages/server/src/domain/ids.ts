declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** An organisation: its seven-digit prefix, which leads every id made in it. */
export type OrgId = Branded<'OrgId'>;
export type UserId = Branded<'UserId'>;
export type ProfileId = Branded<'ProfileId'>;
export type RecordId = Branded<'RecordId'>;
/** The client's own id of a channel: the canonical decimal text of a signed 64-bit integer. Never a JS number. */
export type ChannelId = Branded<'ChannelId'>;
/** One life of a channel id, from the POST that opened it to its DELETE; numbers of notifications count within it. */
export type Generation = Branded<'Generation'>;
/** Random, kept over retries, redelivery and replay. */
export type NotificationId = Branded<'NotificationId'>;
/** Of a replay, a redelivery or a re-match: fixed width, in the order in which they were asked for. */
export type JobId = Branded<'JobId'>;

const SERIAL_DIGITS = 12;
const ID_DIGITS = 7 + SERIAL_DIGITS;

/** An id of fixed width (19 digits, below 2^63) made of the org's prefix and a serial. */
export function idFromSerial(org: OrgId, serial: number): string {
  return org + String(serial).padStart(SERIAL_DIGITS, '0');
}

export const isId = (text: string): boolean => text.length === ID_DIGITS && /^\d+$/.test(text);
export const isOrgId = (text: string): text is OrgId => /^[1-8]\d{6}$/.test(text);

/** The canonical text of a signed 64-bit integer, or undefined. `+1`, `007` and `-0` are normalised. */
export function parseChannelId(text: string): ChannelId | undefined {
  if (!/^[+-]?\d{1,25}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? (value.toString() as ChannelId) : undefined;
}
