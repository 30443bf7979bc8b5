import { expect, onTestFinished, test } from 'vitest';
import { startExampleWorld } from './example-world.ts';
import { differences, examplesOf, faultsOf, notRunIn, pageNames } from './examples.ts';
import { page } from './page.ts';

const pages = pageNames();
const withExamples = pages.filter((name) => examplesOf(page(name)).length > 0);

test.each(pages)('every call of the API in docs/%s is an example that is run', (name) => {
  expect(notRunIn(page(name)), 'write it as ```sh with curl -fsS and the variables of the examples').toEqual([]);
});

test.each(withExamples)(
  'the examples of docs/%s run, and answer what is shown',
  async (name) => {
    const world = await startExampleWorld();
    onTestFinished(() => world.stop());
    expect(await faultsOf(name, world.variables)).toEqual([]);
  },
  60_000,
);

test.each<[shown: unknown, real: unknown, fault: string | undefined]>([
  [{ a: 1, b: [{ c: 'x' }] }, { a: 2, b: [{ c: 'y' }, {}] }, undefined],
  [{ a: null, b: [] }, { a: { x: 1 }, b: [1] }, undefined],
  [{ a: 1 }, { a: 1, b: 2 }, '$.b is answered and not shown: 2'],
  [{ a: 1, b: 2 }, { a: 1 }, '$.b is shown and not answered'],
  [{ a: [{ b: 1 }] }, { a: [{ c: 1 }] }, '$.a[0].b is shown and not answered'],
  [{ a: [1] }, { a: [] }, '$.a is shown with items and has none'],
  [{ a: {} }, { a: null }, '$.a is shown as object and is null'],
  [{ a: 1 }, { a: '1' }, '$.a is shown as number and is "1"'],
  [{}, 'no JSON', '$ is shown as object and is "no JSON"'],
])('%j stands for %j: %s', (shown, real, fault) => {
  expect(differences(shown, real)[0]).toBe(fault);
});
