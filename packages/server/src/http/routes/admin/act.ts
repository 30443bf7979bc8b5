import type { FastifyRequest } from 'fastify';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Surface } from '../../surface.ts';
import { operatorOf } from './access.ts';

/** Notes an act of an operator that was carried out: what, on what, by whose token. Never a secret. */
export type NoteAct = (request: FastifyRequest, act: string, on: Readonly<Record<string, unknown>>) => void;

export const noteActs =
  (logger: Logger): NoteAct =>
  (request, act, on) => {
    const { orgId } = operatorOf(request);
    logger.info({ requestId: request.id, by: orgId ?? 'all', act, ...on }, 'administration');
  };

/** The same on a surface: of an owner too, by the user's id. */
export function noteActsOn({ name, sightOf }: Pick<Surface, 'name' | 'sightOf'>, logger: Logger): NoteAct {
  if (name === 'operator') return noteActs(logger);
  return (request, act, on) => {
    logger.info({ requestId: request.id, by: sightOf(request).by, act, ...on }, 'act of an owner');
  };
}
