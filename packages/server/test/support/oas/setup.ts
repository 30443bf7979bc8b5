import { afterAll, afterEach, expect } from 'vitest';
import { hasOas } from './files.ts';
import { recordAnswer, takeChecked } from './record.ts';

// For each test file, before its tests: whatever they fetch of v8 is compared with the public OpenAPI files.

const answers: Promise<void>[] = [];
const { fetch } = globalThis;
/** The client's tests have servers of their own, whose answers are none of ours. */
const isServed = !expect.getState().testPath?.includes('/packages/client/');

if (hasOas && isServed) {
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const url = typeof input === 'object' && 'url' in input ? input.url : String(input);
    const { pathname } = new URL(url);
    if (pathname.startsWith('/crm/v8/')) answers.push(record(init?.method ?? 'GET', pathname, response.clone()));
    return response;
  };
}

/** An answer that was broken off is none. */
async function record(method: string, path: string, response: Response): Promise<void> {
  const body = await response.text().catch(() => undefined);
  if (body === undefined) return;
  recordAnswer({ method, path, status: response.status, contentType: response.headers.get('content-type'), body });
}

declare module 'vitest' {
  interface TaskMeta {
    /** Answers compared in a test; undefined where the files are not. */
    comparedAnswers?: number;
  }
}

let counted = 0;

afterEach(async ({ task }) => {
  await Promise.all(answers.splice(0));
  const checked = takeChecked();
  if (hasOas) task.meta.comparedAnswers = checked.answers - counted;
  counted = checked.answers;
  expect(checked.faults, 'answers of v8 that are not as the public OpenAPI files say').toEqual([]);
});

// What was answered outside of a test.
afterAll(async () => {
  await Promise.all(answers.splice(0));
  expect(takeChecked().faults).toEqual([]);
});
