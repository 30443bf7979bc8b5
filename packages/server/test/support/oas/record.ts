import { checkAnswer, type GivenAnswer } from './check.ts';
import { hasOas } from './files.ts';

/** Answers of v8 that were compared so far, in this process. */
export interface Checked {
  readonly answers: number;
  /** Of calls that the files do not describe. */
  readonly undescribed: number;
  readonly faults: readonly string[];
}

const COUNTS = { answers: 0, undescribed: 0 };
const FAULTS = new Set<string>();

/** Compares an answer with the OpenAPI files, if they are there and it is one of v8; a fault is kept for `takeFaults`. */
export function recordAnswer(answer: GivenAnswer): void {
  if (!hasOas || !answer.path.startsWith('/crm/v8/')) return;
  const { operation, faults } = checkAnswer(answer);
  COUNTS[operation === undefined ? 'undescribed' : 'answers'] += 1;
  for (const fault of faults) FAULTS.add(fault);
}

/** What was wrong since it was last asked, and the counts of the whole process. */
export function takeChecked(): Checked {
  const faults = [...FAULTS];
  FAULTS.clear();
  return { ...COUNTS, faults };
}
