import type { FastifyRequest } from 'fastify';
import { AppError } from '../domain/error.ts';
import type { Auth } from '../services/auth.ts';
import type { RateLimiter } from './rate-limit.ts';

/** A hook that lets only the operator pass: `Authorization: Bearer <admin token>`. */
export function requireAdmin(
  { isAdmin }: Pick<Auth, 'isAdmin'>,
  { signIn }: Pick<RateLimiter, 'signIn'>,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Send the admin token as a Bearer token');
    await signIn(request, token, async () => {
      if (!(await isAdmin(token))) throw new AppError('INVALID_TOKEN', 'This is no admin token');
    });
  };
}
