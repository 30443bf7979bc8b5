import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DEFAULT_KEEP_MS } from '../../../domain/signing.ts';
import type { Surface } from '../../surface.ts';
import { readJsonBodyIfAny } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed, Done } from '../admin/shapes.ts';
import { Rotation, renderSigning, SigningShape, WithSecret } from '../admin/signing.ts';
import type { RecoveryParts } from './recovery.ts';

/** Signatures of what one channel is sent: its own secret comes before that of its organisation. */
export function channelSigningRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, signatures, logger } = parts;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['signing'];
  const path = `${surface.channelPath}/signing`;
  const params = surface.ChannelParams;
  const channelOf = async (request: FastifyRequest) => ({
    org: surface.sightOf(request).org,
    generation: await surface.generationOf(request),
  });

  typed.get(
    path,
    {
      ...surface.reads,
      schema: {
        summary: 'Whether a channel has a secret of its own',
        tags,
        params,
        querystring: Type.Object(surface.ChannelQuery, closed),
        response: { 200: SigningShape },
      },
    },
    async (request) => renderSigning(await signatures.show(await channelOf(request))),
  );

  typed.put(
    path,
    {
      ...surface.changes,
      preValidation: readJsonBodyIfAny,
      schema: {
        summary: 'Sign the notifications of a channel with a new secret of its own',
        tags,
        params,
        body: Rotation,
        response: { 200: WithSecret },
      },
    },
    async (request) => {
      const { keep_seconds: keepSeconds = DEFAULT_KEEP_MS / 1000 } = request.body;
      const channel = await channelOf(request);
      await administration.requireKept(channel.org);
      const { secret, ...view } = await signatures.renew(channel, keepSeconds * 1000);
      note(request, 'make signing secret', { ...channel, keepSeconds });
      return { ...renderSigning(view), secret };
    },
  );

  typed.delete(
    path,
    {
      ...surface.changes,
      schema: {
        summary: 'Take the secret of a channel away: it is signed as its organisation has it',
        tags,
        params,
        response: { 200: Done },
      },
    },
    async (request) => {
      const channel = await channelOf(request);
      await administration.requireKept(channel.org);
      await signatures.end(channel);
      note(request, 'end signing', channel);
      return { status: 'ended' };
    },
  );
}
