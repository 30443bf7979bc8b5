import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OrgId } from '../../../domain/ids.ts';
import { DEFAULT_KEEP_MS, MAX_KEEP_MS } from '../../../domain/signing.ts';
import type { SigningOf, SigningView } from '../../../services/signing.ts';
import { administersOrg, readJsonBodyIfAny } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, Done, InOrg, isoOrNull, orgPath, Time } from './shapes.ts';

const Shown = {
  signed: Type.Boolean({ description: 'With a secret of its own' }),
  since: Type.Union([Time, Type.Null()], { description: 'When the present secret was made' }),
  former_until: Type.Union([Time, Type.Null()], { description: 'Until then the secret before signs, too' }),
};
export const SigningShape = Type.Object(Shown);
export const WithSecret = Type.Object({ ...Shown, secret: Type.String({ description: 'Shown once' }) });
export const Rotation = Type.Object(
  {
    keep_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_KEEP_MS / 1000,
        description: 'How long the secret before signs beside the new one; a day when absent',
      }),
    ),
  },
  closed,
);

/** Signatures of what is sent for a whole organisation, but for channels with a secret of their own. */
export function signingAdminRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { administration, signatures, auth, limiter, logger } = parts;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const own = { onRequest: administersOrg(auth, limiter) };
  const note = noteActs(logger);
  const tags = ['signing'];

  async function show(of: SigningOf) {
    await administration.findOrg(of.org);
    return renderSigning(await signatures.show(of));
  }
  async function renew(request: FastifyRequest, of: SigningOf, keepSeconds = DEFAULT_KEEP_MS / 1000) {
    await administration.requireKept(of.org);
    const { secret, ...view } = await signatures.renew(of, keepSeconds * 1000);
    note(request, 'make signing secret', { ...of, keepSeconds });
    return { ...renderSigning(view), secret };
  }
  async function end(request: FastifyRequest, of: SigningOf) {
    await administration.requireKept(of.org);
    await signatures.end(of);
    note(request, 'end signing', { ...of });
    return { status: 'ended' };
  }

  const ofOrg = `${orgPath}/:org/signing`;
  typed.get(
    ofOrg,
    {
      ...own,
      schema: { summary: 'Whether notifications are signed', tags, params: InOrg, response: { 200: SigningShape } },
    },
    ({ params }) => show({ org: params.org as OrgId }),
  );
  typed.put(
    ofOrg,
    {
      ...own,
      preValidation: readJsonBodyIfAny,
      schema: {
        summary: 'Sign the notifications of all channels without a secret of their own, with a new one',
        tags,
        params: InOrg,
        body: Rotation,
        response: { 200: WithSecret },
      },
    },
    (request) => renew(request, { org: request.params.org as OrgId }, request.body.keep_seconds),
  );
  typed.delete(
    ofOrg,
    {
      ...own,
      schema: {
        summary: 'Sign no more, but for channels with a secret of their own',
        tags,
        params: InOrg,
        response: { 200: Done },
      },
    },
    (request) => end(request, { org: request.params.org as OrgId }),
  );
}

export const renderSigning = ({ since, formerUntil }: SigningView) => ({
  signed: since !== undefined,
  since: isoOrNull(since),
  former_until: isoOrNull(formerUntil),
});
