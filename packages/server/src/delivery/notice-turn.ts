import type { OrgId } from '../domain/ids.ts';
import type { DueNotice, NoticePlace } from '../storage/store.ts';

/** How far the notices of one organisation are read and sent. */
export interface OrgTurn {
  readonly org: OrgId;
  /** Read and not looked at yet; and looked at and busy. */
  window: DueNotice[];
  held: DueNotice[];
  /** When the window was read; epoch ms. */
  readAt: number;
  /** Origins that are slow: the rest of what is due to them is passed over until it is begun anew. */
  readonly passed: Set<string>;
  /** Something was answered since it was begun. */
  hasLanded: boolean;
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

/** Empty: it is told nowhere. */
export const originOf = ({ url }: DueNotice): string =>
  url !== undefined && URL.canParse(url) ? new URL(url).origin : '';

export const heldTo = ({ held }: OrgTurn, origin: string): number =>
  held.reduce((sum, due) => sum + (originOf(due) === origin ? 1 : 0), 0);

export const newTurn = (org: OrgId): OrgTurn => ({
  org,
  window: [],
  held: [],
  readAt: 0,
  passed: new Set(),
  hasLanded: false,
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
