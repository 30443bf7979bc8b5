import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { OrgId } from '../../../domain/ids.ts';
import { MAX_URL_LENGTH, requireReceiver } from '../../watch/keys.ts';
import { originAndPath } from '../recovery/channel-shapes.ts';
import { administersOrg, readJsonBody } from './access.ts';
import { noteActs } from './act.ts';
import type { AdminParts } from './parts.ts';
import { closed, InOrg, orgPath } from './shapes.ts';

const UrlShape = Type.Object({
  url: Type.Union([Type.String(), Type.Null()], { description: 'Origin and path; null: there is none' }),
});
const NewUrl = Type.Object(
  { url: Type.Union([Type.String({ minLength: 1, maxLength: MAX_URL_LENGTH }), Type.Null()]) },
  closed,
);

/** Where an organisation is told of the life of channels that have no URL of their own. */
export function lifecycleAdminRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { administration, noticeDesk, judgeReceiver, auth, limiter, logger } = parts;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const own = { onRequest: administersOrg(auth, limiter) };
  const note = noteActs(logger);
  const tags = ['life-cycle'];
  const path = `${orgPath}/:org/lifecycle`;
  const shown = async (org: OrgId) => {
    const url = await noticeDesk.orgUrl(org);
    return { url: url === undefined ? null : originAndPath(url) };
  };

  typed.get(
    path,
    {
      ...own,
      schema: {
        summary: 'Where it is told of the life of channels without a URL of their own',
        tags,
        params: InOrg,
        response: { 200: UrlShape },
      },
    },
    async ({ params }) => {
      const org = params.org as OrgId;
      await administration.findOrg(org);
      return shown(org);
    },
  );

  typed.put(
    path,
    {
      ...own,
      preValidation: readJsonBody,
      schema: {
        summary: 'Tell of the life of channels without a URL of their own there; null: nowhere',
        tags,
        params: InOrg,
        body: NewUrl,
        response: { 200: UrlShape },
      },
    },
    async (request) => {
      const org = request.params.org as OrgId;
      const { url } = request.body;
      await administration.requireKept(org);
      if (url !== null) requireReceiver(url, 'url', judgeReceiver);
      await noticeDesk.setOrgUrl(org, url ?? undefined);
      const answer = await shown(org);
      note(request, 'change life-cycle URL', { org, ...answer });
      return answer;
    },
  );
}
