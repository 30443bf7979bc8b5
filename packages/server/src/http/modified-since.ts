import type { Call } from './call.ts';

/**
 * The time of `If-Modified-Since`, epoch ms. Clients send ISO 8601, HTTP dates and JavaScript's own text; what cannot be
 * read is as good as absent.
 */
export function modifiedSince({ ifModifiedSince }: Pick<Call, 'ifModifiedSince'>): number | undefined {
  const time = Date.parse(ifModifiedSince ?? '');
  return Number.isNaN(time) ? undefined : time;
}
