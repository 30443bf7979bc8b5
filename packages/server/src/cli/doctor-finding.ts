export type Verdict = 'ok' | 'warn' | 'fail';

/** What one look of doctor found. */
export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly says: string;
}

export const finding = (check: string, verdict: Verdict, says: string): Finding => ({ check, verdict, says });
