import { describe, expect, test } from 'vitest';
import { ERROR_ROWS } from '../e2e/wire-errors/all.ts';
import { documented } from '../e2e/wire-errors/row.ts';
import { cells, page, tableRows } from './page.ts';

const text = page('compatibility.md');

/** Every code that a source lists for this API, or for all of the hosted service (reference §4.10). */
const PUBLISHED = [
  // OpenAPI 2026
  ['INVALID_DATA', 'INVALID_QUERY', 'NOT_SUBSCRIBED', 'EXPECTED_PARAM_MISSING', 'LIMIT_REACHED', 'NOT_SUPPORTED'],
  ['INVALID_REQUEST_METHOD', 'AUTHORIZATION_FAILED', 'OAUTH_SCOPE_MISMATCH', 'NO_PERMISSION', 'INVALID_URL_PATTERN'],
  ['INTERNAL_ERROR', 'RATE_LIMIT_EXCEEDED', 'SERVICE_UNAVAILABLE', 'INVALID_MODULE', 'MANDATORY_NOT_FOUND'],
  ['EXPECTED_FIELD_MISSING', 'AMBIGUITY_DURING_PROCESSING', 'DEPENDENT_FIELD_MISSING'],
  // SDK 2
  ['INVALID_TOKEN', 'DUPLICATE_DATA', 'LIMIT_EXCEEDED'],
  // SDK 8
  ['BAD_REQUEST', 'NOT_ALLOWED', 'ALREADY_USED', 'AUTHENTICATION_FAILURE', 'INTERNAL_SERVER_ERROR', 'Not Modified'],
  // OpenAPI 2025, status codes, v2.1 change log
  ['API_NOT_SUPPORTED', 'REQUIRED_PARAM_MISSING', 'TOO_MANY_REQUESTS', 'INVALID_HOST'],
].flat();

describe('docs/compatibility.md', () => {
  test('shows every error of a watch call, word for word', () => {
    expect(tableRows(text, 'errors')).toEqual(ERROR_ROWS.map(documented));
  });

  test('says of every published code either when it is answered, or why it never is', () => {
    const answered = new Set(ERROR_ROWS.map(({ told }) => told.code));
    const never = tableRows(text, 'never-answered').map((row) => cells(row)[0]?.replaceAll('`', ''));
    expect(never).toEqual(PUBLISHED.filter((code) => !answered.has(code)));
  });
});
