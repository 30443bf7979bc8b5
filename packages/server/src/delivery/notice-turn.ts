import type { OrgId } from '../domain/ids.ts';
import type { DueNotice, NoticePlace } from '../storage/store.ts';

/** How far the notices of one organisation are read and sent. */
export interface OrgTurn {
  readonly org: OrgId;
  /** Read and not looked at yet; and looked at and busy. */
  window: DueNotice[];
  held: DueNotice[];
  /** Up to where it was read; undefined: from the first. */
  after: (NoticePlace & { readonly dueAt: number }) | undefined;
  isAtEnd: boolean;
  /** How often it was begun anew. */
  round: number;
  isReading: boolean;
  /** It stands in the line. */
  isReady: boolean;
  flights: number;
  /** In a window, held, in the air or unsaved; and those that were saved while it was being read. */
  readonly busy: Set<string>;
  readonly saved: Set<string>;
  readonly generations: Set<string>;
  readonly origins: Map<string, number>;
}

export const keyOf = ({ version, part }: NoticePlace): string => `${version}/${part}`;

export const newTurn = (org: OrgId): OrgTurn => ({
  org,
  window: [],
  held: [],
  after: undefined,
  isAtEnd: false,
  round: 0,
  isReading: false,
  isReady: false,
  flights: 0,
  busy: new Set(),
  saved: new Set(),
  generations: new Set(),
  origins: new Map(),
});
