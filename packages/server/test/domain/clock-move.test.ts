import { expect, test } from 'vitest';
import { parseDuration, parseMoment, targetOf } from '../../src/domain/clock-move.ts';
import { AppError } from '../../src/domain/error.ts';

const NOW = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;

test.each([
  ['90s', 90_000],
  ['5m', 300_000],
  ['2h', 2 * HOUR],
  ['7d', 168 * HOUR],
  ['1d12h', 36 * HOUR],
  ['1h30m15s', HOUR + 1_815_000],
  ['0s', 0],
  ['', undefined],
  ['90', undefined],
  ['1.5h', undefined],
  ['-1h', undefined],
  ['30m1h', undefined],
  ['1w', undefined],
  ['1h ', undefined],
  ['1H', undefined],
])('%j is a duration of %s ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  ['2026-01-05T10:00:00Z', NOW + HOUR],
  ['2026-01-05T10:00:00.250Z', NOW + HOUR + 250],
  ['2026-01-05T10:00:00.2509Z', NOW + HOUR + 250],
  ['2026-01-05T15:30:00+05:30', NOW + HOUR],
  ['2026-01-05T15:30:00.001+05:30', NOW + HOUR + 1],
  ['2026-01-05T10:00:00', undefined],
  ['2026-01-05', undefined],
  ['2026-02-30T10:00:00Z', undefined],
  ['2026-01-05T10:00:00.Z', undefined],
  ['', undefined],
])('%j is the moment %s', (text, expected) => {
  expect(parseMoment(text)).toBe(expected);
});

test.each([
  [{ to: '2026-01-05T10:00:00Z' }, NOW + HOUR],
  [{ to: '2026-01-05T09:00:00Z' }, NOW],
  [{ by: '1h' }, NOW + HOUR],
])('%j is where to', (move, expected) => {
  expect(targetOf(NOW, move)).toBe(expected);
});

test.each([
  [{ to: '2026-01-05T08:59:59Z' }, 'to', 'set back'],
  [{ to: 'tomorrow' }, 'to', 'to must be an ISO 8601 time'],
  [{ to: '2100-01-01T00:00:01Z' }, 'to', 'beyond the year 2099'],
  [{ by: 'soon' }, 'by', 'by must be days'],
  [{ by: '999999d' }, 'by', 'beyond the year 2099'],
  [{}, 'to', 'either'],
  [{ to: '2026-01-05T10:00:00Z', by: '1h' }, 'to', 'either'],
])('%j is refused, naming %s', (move, field, message) => {
  const refused = (() => {
    try {
      return targetOf(NOW, move);
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(AppError);
  expect(refused).toMatchObject({ code: 'INVALID_DATA', details: { api_name: field } });
  expect((refused as AppError).message).toContain(message);
});
