import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { MAX_CONCURRENCY } from '../../../domain/channel-settings.ts';
import type { ChannelView } from '../../../services/channel-control.ts';
import type { Surface } from '../../surface.ts';
import { MAX_URL_LENGTH, requireReceiver } from '../../watch/keys.ts';
import { readJsonBody } from '../admin/access.ts';
import { noteActsOn } from '../admin/act.ts';
import { closed } from '../admin/shapes.ts';
import { originAndPath } from './channel-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const SettingsShape = Type.Object({
  concurrency: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Most attempts at once; null: as the server has it',
  }),
  lifecycle_url: Type.Union([Type.String(), Type.Null()], {
    description: 'Where its owner is told of its life, origin and path; null: where the organisation is, if anywhere',
  }),
});
const Change = Type.Object(
  {
    concurrency: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: MAX_CONCURRENCY }), Type.Null()])),
    lifecycle_url: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: MAX_URL_LENGTH }), Type.Null()])),
  },
  closed,
);

/** What the hosted service has no words for; the calls that open and change channels keep it. */
export function channelSettingsRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, channelControl, logger, judgeReceiver } = parts;
  const { sightOf, generationOf } = surface;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);
  const tags = ['channels'];
  const path = `${surface.channelPath}/settings`;

  typed.get(
    path,
    {
      ...surface.reads,
      schema: {
        summary: 'Show the settings of a channel that only our own API knows',
        tags,
        params: surface.ChannelParams,
        querystring: Type.Object(surface.ChannelQuery, closed),
        response: { 200: SettingsShape },
      },
    },
    async (request) => render(await channelControl.find(sightOf(request).org, await generationOf(request))),
  );

  typed.patch(
    path,
    {
      ...surface.changes,
      preValidation: readJsonBody,
      schema: {
        summary: 'Change these settings; what is not given stays, null takes one away',
        tags,
        params: surface.ChannelParams,
        body: Change,
        response: { 200: SettingsShape },
      },
    },
    async (request) => {
      const { concurrency, lifecycle_url: lifecycleUrl } = request.body;
      if (typeof lifecycleUrl === 'string') requireReceiver(lifecycleUrl, 'lifecycle_url', judgeReceiver);
      const { org } = sightOf(request);
      const generation = await generationOf(request);
      await administration.requireKept(org);
      const changed = await channelControl.changeSettings(org, generation, {
        ...(concurrency !== undefined && { concurrency }),
        ...(lifecycleUrl !== undefined && { lifecycleUrl }),
      });
      note(request, 'change channel settings', { org, generation, ...render(changed) });
      return render(changed);
    },
  );
}

const render = ({ channel: { concurrency, lifecycleUrl } }: ChannelView) => ({
  concurrency: concurrency ?? null,
  lifecycle_url: lifecycleUrl === undefined ? null : originAndPath(lifecycleUrl),
});
