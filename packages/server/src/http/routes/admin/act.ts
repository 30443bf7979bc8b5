import type { FastifyRequest } from 'fastify';
import type { Logger } from '../../../telemetry/logger.ts';
import { operatorOf } from './access.ts';

/** Notes an act of an operator that was carried out: what, on what, by whose token. Never a secret. */
export type NoteAct = (request: FastifyRequest, act: string, on: Readonly<Record<string, unknown>>) => void;

export const noteActs =
  (logger: Logger): NoteAct =>
  (request, act, on) => {
    const { orgId } = operatorOf(request);
    logger.info({ requestId: request.id, by: orgId ?? 'all', act, ...on }, 'administration');
  };
