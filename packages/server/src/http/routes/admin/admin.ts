import type { FastifyInstance } from 'fastify';
import { clientAdminRoutes } from './clients.ts';
import { lifecycleAdminRoutes } from './lifecycle.ts';
import { orgAdminRoutes } from './orgs.ts';
import type { AdminParts } from './parts.ts';
import { profileAdminRoutes } from './profiles.ts';
import { signingAdminRoutes } from './signing.ts';
import { tokenAdminRoutes } from './tokens.ts';
import { userAdminRoutes } from './users.ts';

/** What operators do, under `/_watchbell/v1/orgs`. */
export function adminRoutes(app: FastifyInstance, parts: AdminParts): void {
  orgAdminRoutes(app, parts);
  userAdminRoutes(app, parts);
  profileAdminRoutes(app, parts);
  clientAdminRoutes(app, parts);
  tokenAdminRoutes(app, parts);
  signingAdminRoutes(app, parts);
  lifecycleAdminRoutes(app, parts);
}
