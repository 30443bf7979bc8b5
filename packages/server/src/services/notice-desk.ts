import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import { placeOfNotice } from '../domain/notice.ts';
import type { NoticeEntry, NoticeFilter, NoticePlace, NoticeStore } from '../storage/store.ts';

/** What was told of the life of channels, and where an organisation is told. */
export interface NoticeDesk {
  /** Newest first. Looks at a bounded number: a page may hold fewer than `limit` and have a `next`. */
  list(
    org: OrgId,
    filter: NoticeFilter,
    before: NoticePlace | undefined,
    limit: number,
  ): Promise<{ readonly items: readonly NoticeEntry[]; readonly next?: NoticePlace }>;
  /** Tries one again from the first attempt on; one that is pending stays as it is. */
  sendAgain(org: OrgId, user: UserId | undefined, id: string): Promise<NoticeEntry>;
  /** Where the organisation is told of channels without a URL of their own; undefined: nowhere. */
  orgUrl(org: OrgId): Promise<string | undefined>;
  setOrgUrl(org: OrgId, url: string | undefined): Promise<void>;
}

export interface NoticeDeskOptions {
  readonly store: Pick<NoticeStore, 'list' | 'find' | 'sendAgain' | 'orgUrl' | 'setOrgUrl'>;
  readonly clock: Clock;
  /** Told that something is to be sent now. */
  readonly onChanged: (org: OrgId) => void;
}

export function createNoticeDesk({ store, clock, onChanged }: NoticeDeskOptions): NoticeDesk {
  async function find(org: OrgId, user: UserId | undefined, id: string): Promise<NoticeEntry> {
    const place = placeOfNotice(org, id);
    const found = place && (await store.find(org, place));
    if (found?.notice.id === id && (user === undefined || found.userId === user)) return found;
    throw new AppError('NOT_FOUND', 'There is no such notice', { api_name: 'notice' });
  }

  return {
    list: store.list,
    async sendAgain(org, user, id) {
      const { notice } = await find(org, user, id);
      await store.sendAgain(org, notice, clock.now());
      onChanged(org);
      return find(org, user, id);
    },
    orgUrl: store.orgUrl,
    setOrgUrl: store.setOrgUrl,
  };
}
