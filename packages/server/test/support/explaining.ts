import type { Answer, Caller, LiveApp } from './live-app.ts';
import { operatorOf } from './operator.ts';

export const SAMPLE_ORG = '3652397';

export interface ExplainedItem {
  readonly change: {
    readonly number: number;
    readonly at: string;
    readonly module: string | null;
    readonly operation: string;
    readonly by: string;
    readonly fields: readonly string[] | null;
  };
  readonly channel: { readonly channel_id: string; readonly generation: string | null; readonly user: string | null };
  readonly verdict: string;
  readonly reason: string;
  readonly why: string;
  readonly channel_as_it_was: Readonly<Record<string, unknown>> | null;
  readonly notifications: readonly {
    readonly number: number;
    readonly id: string | null;
    readonly module: string | null;
    readonly ids: readonly string[] | null;
    readonly state: string;
    readonly reason: string | null;
    readonly attempts: number | null;
    readonly rematch: string | null;
    readonly held_by: Readonly<Record<string, unknown>> | null;
  }[];
}

export interface ExplainedPage {
  readonly items: readonly ExplainedItem[];
  readonly next: string | null;
  readonly oldest_change: { readonly number: number; readonly at: string } | null;
}

type Query = Readonly<Record<string, string | number>>;

const queryOf = (query: Query): string =>
  new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString();

const pageOf = ({ status, body }: Answer): ExplainedPage => {
  if (status !== 200) throw new Error(`explain answered ${status}: ${JSON.stringify(body)}`);
  return body as ExplainedPage;
};

/** What an owner, or (without one) an operator of the sample organisation, is told: one page. */
export async function explainPage(app: Pick<LiveApp, 'base'>, query: Query, caller?: Caller): Promise<ExplainedPage> {
  const path = `/explain?${queryOf(query)}`;
  return pageOf(
    caller
      ? await caller.call('GET', `/_watchbell/v1${path}`)
      : await operatorOf(app.base)('GET', `/orgs/${SAMPLE_ORG}${path}`),
  );
}

/** All pages, one after the other. */
export async function explainAll(app: Pick<LiveApp, 'base'>, query: Query, caller?: Caller): Promise<ExplainedItem[]> {
  const items: ExplainedItem[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await explainPage(app, { ...query, ...(cursor && { cursor }) }, caller);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}
