import type { FastifyInstance } from 'fastify';
import type { JudgeUrl } from '../../../domain/egress.ts';
import type { Administration } from '../../../services/administration.ts';
import type { AttemptList } from '../../../services/attempts.ts';
import type { ChannelControl } from '../../../services/channel-control.ts';
import type { ChannelTests } from '../../../services/channel-tests.ts';
import type { Channels } from '../../../services/channels.ts';
import type { Explainer } from '../../../services/explain.ts';
import type { Feed } from '../../../services/feed.ts';
import type { ReadGaps } from '../../../services/gaps.ts';
import type { Jobs } from '../../../services/jobs.ts';
import type { NoticeDesk } from '../../../services/notice-desk.ts';
import type { Notifications } from '../../../services/notifications.ts';
import type { Rematches } from '../../../services/rematch.ts';
import type { Signatures } from '../../../services/signing.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Cursors } from '../../cursor.ts';
import type { Surface } from '../../surface.ts';
import { channelRoutes } from './channels.ts';
import { explainRoutes } from './explain.ts';
import { feedRoutes } from './feed.ts';
import { gapRoutes } from './gaps.ts';
import { jobRoutes } from './jobs.ts';
import { noticeRoutes } from './notices.ts';
import { notificationRoutes } from './notifications.ts';
import { channelSettingsRoutes } from './settings.ts';
import { channelSigningRoutes } from './signing.ts';
import { channelTestRoutes } from './test-send.ts';

/** What is shown of channels and what can be done for them is made of. */
export interface RecoveryParts {
  readonly administration: Administration;
  readonly cursors: Cursors;
  readonly channelControl: ChannelControl;
  readonly channelTests: ChannelTests;
  readonly signatures: Signatures;
  readonly judgeReceiver: JudgeUrl;
  readonly explainer: Explainer;
  readonly feed: Feed;
  readonly gaps: ReadGaps;
  readonly rematches: Rematches;
  readonly jobs: Jobs;
  readonly notifications: Notifications;
  readonly attempts: AttemptList;
  readonly noticeDesk: NoticeDesk;
  readonly channels: Pick<Channels, 'findOwn'>;
  readonly logger: Logger;
}

/** What owners may see and do of their channels, and operators of all of an organisation; once for each surface. */
export function recoveryRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  channelRoutes(app, surface, parts);
  channelSettingsRoutes(app, surface, parts);
  channelSigningRoutes(app, surface, parts);
  channelTestRoutes(app, surface, parts);
  explainRoutes(app, surface, parts);
  feedRoutes(app, surface, parts);
  gapRoutes(app, surface, parts);
  jobRoutes(app, surface, parts);
  notificationRoutes(app, surface, parts);
  noticeRoutes(app, surface, parts);
}
