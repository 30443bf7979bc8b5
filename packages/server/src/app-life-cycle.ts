import type { NoticeSenderOptions } from './delivery/notices.ts';
import { createNoticeSender } from './delivery/notices.ts';
import type { OrgId } from './domain/ids.ts';
import type { WriteSet } from './domain/working-set.ts';
import { createLifeCycleLog } from './services/life-cycle-log.ts';
import { createNoticeDesk, type NoticeDesk } from './services/notice-desk.ts';
import { createNotices } from './services/notices.ts';
import type { Writer } from './services/writer.ts';
import type { Store } from './storage/store.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface LifeCycleOptions extends Omit<NoticeSenderOptions, 'store' | 'metrics'> {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly writer: Writer;
}

/** Nodes look so often at what they may not have been told of; real time. */
const LOOK_MS = 5000;

/** What tells of the life of channels: lines of the log and counts, and notices to who wants to be told. */
export interface LifeCycle {
  readonly desk: NoticeDesk;
  start(): Promise<void>;
  /** Told of each commit of this node, in commit order for each organisation. Never throws. */
  committed(org: OrgId, writes: WriteSet): void;
  /** Others have committed something of the organisation. */
  changed(org: OrgId): void;
  /** It is not known what others did. */
  lookAtAll(): void;
  idle(): Promise<void>;
  /** Resolves when nothing of an organisation that is suspended is being done. */
  quiet(org: OrgId): Promise<void>;
  forget(org: OrgId): void;
  stop(): Promise<void>;
}

export function createLifeCycle({ writer, ...options }: LifeCycleOptions): LifeCycle {
  const { store, clock, isMine, logger } = options;
  const log = createLifeCycleLog(options);
  const sender = createNoticeSender({ ...options, store: store.notices });
  const notices = createNotices({
    store: store.notices,
    writer,
    clock,
    isMine,
    onDue: sender.wake,
    onNone: sender.drop,
    log,
    logger,
  });
  // What another node has sent again is not told otherwise.
  const looking = store.cluster && setInterval(() => void notices.start(), LOOK_MS).unref();
  return {
    desk: createNoticeDesk({ store: store.notices, clock, onChanged: notices.changed }),
    start: notices.start,
    committed(org, writes) {
      log.committed(org, writes.revisions);
      notices.committed(org, writes);
    },
    changed: notices.changed,
    lookAtAll: () => void notices.start(),
    async idle() {
      await notices.idle();
      await sender.idle();
    },
    async quiet(org) {
      await notices.quiet(org);
      await sender.quiet(org);
    },
    forget(org) {
      notices.forget(org);
      sender.forget(org);
    },
    async stop() {
      clearInterval(looking);
      await notices.stop();
      await sender.stop();
    },
  };
}
