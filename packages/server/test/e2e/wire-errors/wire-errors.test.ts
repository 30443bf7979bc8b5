import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERROR_ROWS } from './all.ts';
import { type ErrorRow, type Stage, WATCH } from './row.ts';
import { type OpenStage, openStage } from './stage.ts';

const STAGES: readonly Stage[] = ['served', 'limited', 'guessed', 'full', 'buggy', 'storeless'];
/** What is told beside the error itself. */
const RETRY_AFTER: Partial<Record<number, string>> = { 429: expect.stringMatching(/^\d+$/), 503: '1' };

describe.each(STAGES)('errors of a server that is %s', (stage) => {
  let server: OpenStage;
  beforeAll(async () => {
    server = await openStage(stage);
  });
  afterAll(() => server.close());

  const rows = ERROR_ROWS.filter((row) => row.stage === stage);
  test.each(rows.map((row) => [row.cause, row.told.code, row] as const))('%s: %s', async (_cause, _code, row) => {
    for (const version of row.versions) {
      for (const ask of row.asks) {
        const asked = `${ask.method} ${ask.path} on ${version} with ${String(ask.body).slice(0, 300)} by ${ask.by}`;
        const heard = await server.ask(version, ask);
        const text = row.place === 'second' ? JSON.stringify(JSON.parse(heard.text).watch[1]) : heard.text;
        expect([heard.status, text, heard.retryAfter], asked).toEqual([
          row.status,
          ask.method === 'HEAD' ? '' : textOf(row),
          RETRY_AFTER[row.status],
        ]);
      }
    }
    if (stage !== 'served') return;
    expect((await server.ask('v8', { method: 'GET', path: WATCH })).status, 'a channel was opened').toBe(204);
  });
});

/** The whole answer, letter by letter. */
function textOf({ told: { code, details, message }, place }: ErrorRow): string {
  const error = { code, details, message, status: 'error' };
  return JSON.stringify(place === 'entry' ? { watch: [error] } : error);
}
