import type { FastifyInstance } from 'fastify';
import type { Administration } from '../../../services/administration.ts';
import type { Auth } from '../../../services/auth.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { RateLimiter } from '../../rate-limit.ts';
import { channelAdminRoutes } from './channels.ts';
import { clientAdminRoutes } from './clients.ts';
import { orgAdminRoutes } from './orgs.ts';
import { profileAdminRoutes } from './profiles.ts';
import { tokenAdminRoutes } from './tokens.ts';
import { userAdminRoutes } from './users.ts';

export interface AdminParts {
  readonly administration: Administration;
  readonly auth: Auth;
  readonly limiter: Pick<RateLimiter, 'signIn'>;
  readonly logger: Logger;
}

/** What operators do, under `/_watchbell/v1/orgs`. */
export function adminRoutes(app: FastifyInstance, parts: AdminParts): void {
  orgAdminRoutes(app, parts);
  userAdminRoutes(app, parts);
  profileAdminRoutes(app, parts);
  clientAdminRoutes(app, parts);
  tokenAdminRoutes(app, parts);
  channelAdminRoutes(app, parts);
}
