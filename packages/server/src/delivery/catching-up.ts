import type { Generation, OrgId } from '../domain/ids.ts';
import type { NewsStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readPatiently } from './patient-read.ts';

/** Organisations that are read at once. */
const MOST_READS = 8;

/** What became of channels, by generation. */
export type Revised = ReadonlyMap<Generation, Kinds>;
export type Kinds = readonly Awaited<ReturnType<NewsStore['revised']>>['revisions'][number]['kind'][];

/** How far an organisation is known and told, and how far it is known to have come. */
export interface Marks {
  change: number;
  version: number;
  /** Channels are read as they were then or later: nothing older is to be taken of them. */
  telling: number;
  toChange: number;
  toVersion: number;
  isSuspended: boolean;
  /** Undefined: not known yet. */
  signing: string | undefined;
  /** The looks during which this node last committed something of it, and the organisation itself. */
  committedIn: number;
  savedIn: number;
}

/** Reads what organisations are behind by, in pieces, and tells it. */
export interface CatchingUp {
  of(org: OrgId): Marks | undefined;
  all(): Iterable<[OrgId, Marks]>;
  /** Everything up to there counts as known. */
  begin(org: OrgId, change: number, version: number): Marks;
  /** It is known to have come that far; what is not known of that is read. */
  reach(org: OrgId, known: Marks, change: number, version: number): void;
  /** Some organisation is behind. */
  isUnderWay(): boolean;
  forget(org: OrgId): void;
  forgetAll(): void;
}

export interface CatchingUpOptions {
  readonly store: Pick<NewsStore, 'numbered' | 'revised'>;
  readonly logger: Logger;
  readonly stop: AbortSignal;
  /** Numbers up to these were given. */
  readonly onNumbered: (org: OrgId, numbers: ReadonlyMap<Generation, number>) => void;
  /** Resolves when what it says of channels is taken up. */
  readonly onRevised: (org: OrgId, revised: Revised) => Promise<void>;
  /** No change of a channel of the organisation is unread. */
  readonly onKnown: (org: OrgId) => void;
  /** What was read could not be taken up. */
  readonly onFault: (org: OrgId) => void;
  /** Nothing is behind any more. */
  readonly onRead: () => void;
}

export function createCatchingUp({ store, logger, stop, ...options }: CatchingUpOptions): CatchingUp {
  const marks = new Map<OrgId, Marks>();
  const behind = new Set<OrgId>();
  const reading = new Set<OrgId>();

  function readOn(): void {
    for (const org of behind) {
      if (reading.size >= MOST_READS) return;
      if (reading.has(org)) continue;
      reading.add(org);
      void readPiece(org)
        .catch((error) => giveUp(org, error))
        .finally(() => {
          reading.delete(org);
          readOn();
          if (behind.size === 0) options.onRead();
        });
    }
  }

  /**
   * Then it is the turn of others: one that is changed all the time keeps none waiting. Channels first: what changes owe
   * goes to channels as they are by then.
   */
  async function readPiece(org: OrgId): Promise<void> {
    const known = marks.get(org);
    if (known && known.version < known.toVersion) await readRevisions(org, known);
    else if (known && known.change < known.toChange) await readNumbers(org, known);
    const now = stop.aborted ? undefined : marks.get(org);
    behind.delete(org);
    if (now && (now.version < now.toVersion || now.change < now.toChange)) behind.add(org);
    if (!now || now.version >= now.toVersion) options.onKnown(org);
  }

  async function readRevisions(org: OrgId, known: Marks): Promise<void> {
    const read = await patiently(org, known, () => store.revised(org, known.version, known.toVersion));
    if (!read) return;
    const revised = new Map<Generation, Kinds[number][]>();
    for (const { generation, kind } of read.revisions) {
      const kinds = revised.get(generation);
      if (kinds) kinds.push(kind);
      else revised.set(generation, [kind]);
    }
    known.telling = Math.max(known.telling, read.through);
    if (revised.size > 0) await options.onRevised(org, revised);
    known.version = Math.max(known.version, read.through);
  }

  async function readNumbers(org: OrgId, known: Marks): Promise<void> {
    const read = await patiently(org, known, () => store.numbered(org, known.change, known.toChange));
    if (!read) return;
    options.onNumbered(org, read.numbers);
    known.change = Math.max(known.change, read.through);
  }

  /** Undefined when these marks hold no more: what was read may be of another history. */
  async function patiently<Read>(org: OrgId, known: Marks, read: () => Promise<Read>): Promise<Read | undefined> {
    const answered = await readPatiently(
      read,
      () => stop.aborted || marks.get(org) !== known,
      stop,
      (error) => logger.error({ err: error, org }, 'what other nodes committed cannot be read, trying again'),
    );
    return answered?.rows;
  }

  function giveUp(org: OrgId, error: unknown): void {
    logger.error({ err: error, org }, 'what other nodes committed was not taken up, all of it is read anew');
    const known = marks.get(org);
    if (known) {
      known.change = known.toChange;
      known.version = known.toVersion;
    }
    behind.delete(org);
    options.onFault(org);
  }

  return {
    of: (org) => marks.get(org),
    all: () => marks,
    begin(org, change, version) {
      const told = marks.get(org);
      const made: Marks = {
        change,
        version,
        telling: version,
        toChange: change,
        toVersion: version,
        isSuspended: told?.isSuspended ?? false,
        signing: told?.signing,
        committedIn: told?.committedIn ?? 0,
        savedIn: told?.savedIn ?? 0,
      };
      marks.set(org, made);
      return made;
    },
    reach(org, known, change, version) {
      known.toChange = Math.max(known.toChange, change);
      known.toVersion = Math.max(known.toVersion, version);
      if (known.toChange === known.change && known.toVersion === known.version) return;
      behind.add(org);
      readOn();
    },
    isUnderWay: () => behind.size > 0,
    forget(org) {
      marks.delete(org);
      behind.delete(org);
    },
    forgetAll() {
      marks.clear();
      behind.clear();
    },
  };
}
