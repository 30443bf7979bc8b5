import type { FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { Auth } from '../../../services/auth.ts';
import { parseJsonObject } from '../../json.ts';

/** A hook that lets only an operator of the organisation in the path (`:org`) pass. */
export const administersOrg =
  ({ operator }: Pick<Auth, 'operator'>) =>
  async ({ headers: { authorization }, params }: FastifyRequest): Promise<void> => {
    const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Send the admin token as a Bearer token');
    const known = await operator(token);
    if (!known) throw new AppError('INVALID_TOKEN', 'This is no admin token');
    if (known.orgId !== undefined && known.orgId !== (params as { readonly org?: string }).org) {
      throw new AppError('NO_PERMISSION', 'This admin token is for another organisation');
    }
  };

/** Bodies arrive raw: as a JSON object before the schema is held against it. */
export async function readJsonBody(request: FastifyRequest): Promise<void> {
  request.body = parseJsonObject(request.body instanceof Buffer ? request.body : undefined);
}
