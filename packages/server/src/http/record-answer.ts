import type { Result } from '../domain/records/result.ts';
import type { ScopeOperation } from '../domain/scope.ts';
import { VERSION_RULES } from '../domain/wire/api-version.ts';
import type { Outcome, WriteResults } from '../services/record-writes.ts';
import type { Answer, Call, CrmOperation } from './call.ts';
import { notFound } from './errors.ts';

/** An operation that any of these scopes on the module allows (reference §6.4). */
export const allowing = (operations: readonly ScopeOperation[], handle: CrmOperation['handle']): CrmOperation => ({
  scope: (call) => ({ family: 'modules', part: moduleOf(call), operations }),
  handle,
});

/** First parts of paths that are no modules: what below them is not served is no record and no related list either. */
const NO_MODULES: ReadonlySet<string> = new Set([
  'actions',
  'bulk',
  'composite_requests',
  'coql',
  'files',
  'org',
  'settings',
  'users',
]);

/** The module that the path names; it is unknown (404) when it names none. */
export function moduleOf({ params: { module = '' } }: Call): string {
  if (NO_MODULES.has(module)) throw notFound();
  return module;
}

export function answer(
  { principal, version }: Call,
  written: WriteResults,
  wire: (written: WriteResults, timeZone: string) => object[],
): Answer {
  return {
    status: statusOf(written.results, VERSION_RULES[version].mixedStatus),
    body: { data: wire(written, principal.org.timeZone) },
  };
}

/** 201 when all were inserted, 400 when none was written; between the two it depends on the version (reference §7.2). */
export function statusOf(results: readonly Result<Pick<Outcome, 'operation'>>[], mixedStatus: number): number {
  let written = 0;
  let inserted = 0;
  for (const result of results) {
    if (!result.ok) continue;
    written += 1;
    if (result.value.operation === 'insert') inserted += 1;
  }
  if (written === 0) return 400;
  if (written < results.length) return mixedStatus;
  return inserted === written ? 201 : 200;
}
