import type { FastifyRequest } from 'fastify';
import { AppError } from '../domain/error.ts';
import type { Auth } from '../services/auth.ts';

/** A hook that lets only the operator pass: `Authorization: Bearer <admin token>`. */
export function requireAdmin({ isAdmin }: Pick<Auth, 'isAdmin'>): (request: FastifyRequest) => Promise<void> {
  return async ({ headers: { authorization } }) => {
    const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Send the admin token as a Bearer token');
    if (!(await isAdmin(token))) throw new AppError('INVALID_TOKEN', 'This is no admin token');
  };
}
