import { expect, test } from 'vitest';
import { formatTime, isTimeZone, parseDate, parseTime } from '../../src/domain/time.ts';

test.each([
  ['2026-11-21T20:43:33Z', 'Asia/Kolkata', '2026-11-22T02:13:33+05:30'],
  ['2026-11-21T20:43:33Z', 'UTC', '2026-11-21T20:43:33+00:00'],
  ['2026-01-01T00:00:00Z', 'Pacific/Pago_Pago', '2025-12-31T13:00:00-11:00'],
  ['2026-07-01T12:00:00Z', 'America/Los_Angeles', '2026-07-01T05:00:00-07:00'],
  ['2026-12-01T12:00:00Z', 'America/Los_Angeles', '2026-12-01T04:00:00-08:00'],
  ['2026-07-01T12:00:00Z', 'Asia/Kathmandu', '2026-07-01T17:45:00+05:45'],
  ['2026-07-01T12:00:00Z', 'America/St_Johns', '2026-07-01T09:30:00-02:30'],
])('%s in %s is shown as %s', (utc, zone, expected) => {
  expect(formatTime(Date.parse(utc), zone)).toBe(expected);
});

test('the offset changes at the very second when summer time ends', () => {
  const change = Date.parse('2026-10-25T01:00:00Z');
  expect(formatTime(change - 1, 'Europe/Berlin')).toBe('2026-10-25T02:59:59+02:00');
  expect(formatTime(change, 'Europe/Berlin')).toBe('2026-10-25T02:00:00+01:00');
  expect(formatTime(change - 1, 'Europe/Berlin')).toBe('2026-10-25T02:59:59+02:00');
});

test('a fraction of a second is cut off, not rounded', () => {
  expect(formatTime(Date.parse('2026-11-21T20:43:33.999Z'), 'UTC')).toBe('2026-11-21T20:43:33+00:00');
});

test('offsets stay right when more times are shown than are remembered', () => {
  const start = Date.parse('2026-01-01T00:00:00Z');
  for (let quarter = 0; quarter < 5000; quarter += 1) formatTime(start + quarter * 900_000, 'Europe/Berlin');
  expect(formatTime(start, 'Europe/Berlin')).toBe('2026-01-01T01:00:00+01:00');
});

test.each([
  ['2026-11-22T02:13:33+05:30', '2026-11-21T20:43:33Z'],
  ['2026-11-22T02:13:33+0530', '2026-11-21T20:43:33Z'],
  ['2026-11-21T20:43:33Z', '2026-11-21T20:43:33Z'],
  ['2026-11-21T20:43:33-08:00', '2026-11-22T04:43:33Z'],
  ['2024-02-29T00:00:00-00:30', '2024-02-29T00:30:00Z'],
])('%s is read as the instant %s', (text, utc) => {
  expect(parseTime(text)).toBe(Date.parse(utc));
});

test.each([
  '2026-11-21T20:43:33.000Z',
  '2026-11-21T20:43:33',
  '2026-11-21 20:43:33Z',
  '2026-11-21T20:43Z',
  '2026-11-21T24:00:00Z',
  '2026-11-21T20:60:00Z',
  '2026-11-21T20:43:60Z',
  '2026-02-30T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-21T20:43:33+19:00',
  '2026-11-21T20:43:33+05:60',
  '2026-11-21T20:43:33+5:30',
  '2026-11-21T20:43:33z',
  '2026-11-21T20:43:33Z ',
  '1795293813000',
  '',
])('%j is refused as a time', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test.each([
  ['2026-11-21', Date.UTC(2026, 10, 21)],
  ['2024-02-29', Date.UTC(2024, 1, 29)],
  ['2026-02-29', undefined],
  ['2026-04-31', undefined],
  ['2026-00-01', undefined],
  ['2026-1-1', undefined],
  ['21.11.2026', undefined],
  ['2026-11-21T00:00:00Z', undefined],
  ['', undefined],
])('the date %j is read as %j', (text, expected) => {
  expect(parseDate(text)).toBe(expected);
});

test.each([
  ['Asia/Kolkata', true],
  ['UTC', true],
  ['Mars/Olympus', false],
  ['', false],
])('whether %j is a time zone: %j', (name, expected) => {
  expect(isTimeZone(name)).toBe(expected);
});
