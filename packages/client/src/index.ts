export {
  type Admin,
  type AdminOptions,
  type AdminPage,
  createAdmin,
  type Listing,
  type NewClient,
  type NewGrant,
  type NewOrg,
  type NewUser,
  type ProfileValues,
  type Whose,
} from './admin.ts';
export type { Changes, ExternalChange, ExternalRecord, SendOptions, TakenChange } from './changes.ts';
export type * from './channel-wire.ts';
export type { ChannelHandle } from './channels.ts';
export { type Client, type ClientOptions, createClient, expectSuccess } from './client.ts';
export { type Clock, type ClockMove, createClock } from './clock.ts';
export { ApiError, UnreachableError } from './errors.ts';
export type {
  ExplainedNotification,
  ExplainPage,
  ExplainQuery,
  ExplainReason,
  Explanation,
} from './explain.ts';
export {
  type FeedCursor,
  type FeedItem,
  type FeedPage,
  type FeedQuery,
  type FeedState,
  type Gaps,
  type MissedRange,
  type NumberRange,
  notificationOf,
  type PullFeed,
  type RematchPlan,
  type RematchWish,
} from './feed.ts';
export { createInbox, type Inbox, type InboxOptions, type InboxQuery } from './inbox.ts';
export type { Job, JobFilter, Jobs, Redelivery, ReplayPlan, Replays, ReplayWhich, ReplayWish } from './jobs.ts';
export type { Notice, NoticeBody, NoticeQuery, NoticeRange, Notices, NoticeType } from './notices.ts';
export type {
  AttemptOutcome,
  AttemptQuery,
  FoundAttempt,
  FoundNotification,
  MadeAttempt,
  NotificationDetails,
  NotificationQuery,
  NotificationState,
  Notifications,
} from './notifications.ts';
export type { ListOptions, Records, UpsertResult } from './records.ts';
export type { Settings } from './settings.ts';
export {
  type ReceivedHeaders,
  SignatureError,
  type SignedContent,
  sign,
  type Verified,
  type VerifyOptions,
  verify,
} from './signature.ts';
export type { EventRemoval, Watch, WatchFilter } from './watch.ts';
export type * from './wire.ts';
