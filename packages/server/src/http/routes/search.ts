import type { FastifyInstance } from 'fastify';
import { AppError } from '../../domain/error.ts';
import type { Question } from '../../domain/search/question.ts';
import { type ApiVersion, VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Search } from '../../services/search.ts';
import { type CrmRouteContext, resource } from '../call.ts';
import { readPaging } from '../paging.ts';
import { allowing, moduleOf } from '../record-answer.ts';
import { wireInfo, wireRecords } from '../wire/record.ts';
import { readList } from '../wire/record-input.ts';

/** In this order: of several the first counts, the others are ignored. */
const QUESTIONS = ['criteria', 'email', 'phone', 'word'] as const;

export function searchRoutes(app: FastifyInstance, context: CrmRouteContext, { search }: { search: Search }): void {
  resource(app, context, '/:module/search', {
    GET: allowing(['READ'], async (call) => {
      const { principal, query, version } = call;
      const paging = readPaging(query);
      const found = await search.find(principal, moduleOf(call), readQuestion(query, version), paging);
      if (found.records.length === 0) return { status: 204 };
      const fields = readList(query, 'fields');
      const data = wireRecords(found, fields && new Set(fields));
      return { status: 200, body: { data, info: wireInfo(found, paging) } };
    }),
  });
}

/** Whether a call asks for some records only. */
export const hasQuestion = (query: ReadonlyMap<string, string>): boolean =>
  QUESTIONS.some((by) => (query.get(by) ?? '').trim() !== '');

export function readQuestion(query: ReadonlyMap<string, string>, version: ApiVersion): Question {
  for (const by of QUESTIONS) {
    const text = query.get(by);
    if (text !== undefined && text.trim() !== '') return { by, text };
  }
  throw new AppError(
    'REQUIRED_PARAM_MISSING',
    'One of the expected parameter is missing',
    Object.fromEntries(VERSION_RULES[version].missingParamKeys.map((key) => [key, QUESTIONS.join(', ')])),
  );
}
