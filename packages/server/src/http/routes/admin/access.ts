import type { FastifyRequest } from 'fastify';
import { AppError } from '../../../domain/error.ts';
import type { Auth, Operator } from '../../../services/auth.ts';
import { parseJsonObject } from '../../json.ts';
import type { RateLimiter } from '../../rate-limit.ts';

type Gate = (request: FastifyRequest) => Promise<void>;
type SignIn = Pick<RateLimiter, 'signIn'>;

const operators = new WeakMap<FastifyRequest, Operator>();

/** A hook that lets only an operator pass: of the organisation in the path (`:org`), or of all. */
export const administersOrg =
  (auth: Pick<Auth, 'operator'>, limiter: SignIn): Gate =>
  async (request) => {
    const { orgId } = await identify(request, auth, limiter);
    if (orgId !== undefined && orgId !== (request.params as { readonly org?: string }).org) {
      throw new AppError('NO_PERMISSION', 'This admin token is for another organisation');
    }
  };

/** A hook that lets every operator pass; what they see is theirs. */
export const administersSome =
  (auth: Pick<Auth, 'operator'>, limiter: SignIn): Gate =>
  async (request) => {
    await identify(request, auth, limiter);
  };

/** A hook that lets only an operator of all organisations pass. */
export const administersAll =
  (auth: Pick<Auth, 'operator'>, limiter: SignIn): Gate =>
  async (request) => {
    const { orgId } = await identify(request, auth, limiter);
    if (orgId !== undefined) throw new AppError('NO_PERMISSION', 'This admin token is for one organisation only');
  };

/** Whom a hook above has let pass. */
export const operatorOf = (request: FastifyRequest): Operator => {
  const operator = operators.get(request);
  if (!operator) throw new Error('The route has no hook that identifies the operator');
  return operator;
};

async function identify(request: FastifyRequest, auth: Pick<Auth, 'operator'>, limiter: SignIn): Promise<Operator> {
  const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Send the admin token as a Bearer token');
  const operator = await limiter.signIn(request, token, async () => {
    const known = await auth.operator(token);
    if (!known) throw new AppError('INVALID_TOKEN', 'This is no admin token');
    return known;
  });
  operators.set(request, operator);
  return operator;
}

/** Bodies arrive raw: as a JSON object before the schema is held against it. */
export async function readJsonBody(request: FastifyRequest): Promise<void> {
  request.body = parseJsonObject(request.body instanceof Buffer ? request.body : undefined);
}

/** The same where every key may be left out: then the body may be, too. */
export async function readJsonBodyIfAny(request: FastifyRequest): Promise<void> {
  if (request.body instanceof Buffer && request.body.length > 0) await readJsonBody(request);
  else request.body = {};
}
