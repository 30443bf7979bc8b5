import type { JudgeUrl } from '../../../domain/egress.ts';
import type { Administration } from '../../../services/administration.ts';
import type { Auth } from '../../../services/auth.ts';
import type { NoticeDesk } from '../../../services/notice-desk.ts';
import type { Signatures } from '../../../services/signing.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { RateLimiter } from '../../rate-limit.ts';

export interface AdminParts {
  readonly administration: Administration;
  readonly signatures: Signatures;
  readonly noticeDesk: NoticeDesk;
  readonly judgeReceiver: JudgeUrl;
  readonly auth: Auth;
  readonly limiter: Pick<RateLimiter, 'signIn'>;
  readonly logger: Logger;
}
