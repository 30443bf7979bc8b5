import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { specifiers, violation } from './import-table.ts';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

function sources(root: string): { file: string; text: string }[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

test('every import of the server follows the table of who may import whom', () => {
  const files = sources(join(packages, 'server/src'));
  expect(files.length).toBeGreaterThan(20);
  expect(files.flatMap(({ file, text }) => specifiers(text).flatMap((name) => violation(file, name) ?? []))).toEqual(
    [],
  );
});

test('the client imports nothing but its own files', () => {
  const files = sources(join(packages, 'client/src'));
  expect(files.flatMap(({ text }) => specifiers(text)).filter((name) => !name.startsWith('./'))).toEqual([]);
});

test('the environment is handed in by main.ts only', () => {
  const readers = sources(join(packages, 'server/src')).filter(({ text }) => /process\.env\b/.test(text));
  expect(readers.map(({ file }) => file)).toEqual(['main.ts']);
});

test.each([
  ['domain/matching.ts', '../storage/store.ts'],
  ['domain/matching.ts', 'node:crypto'],
  ['services/writer.ts', '../storage/engines/sqlite.ts'],
  ['services/writer.ts', '../delivery/delivery.ts'],
  ['http/server.ts', '../storage/store.ts'],
  ['delivery/lane.ts', '../services/writer.ts'],
  ['storage/channels.ts', '../services/channels.ts'],
  ['cli/listen.ts', '../app.ts'],
  ['cli/dev.ts', '../storage/store.ts'],
  ['telemetry/metrics.ts', '../domain/error.ts'],
  ['unknown/file.ts', '../domain/error.ts'],
])('a planted import in %s of %s is caught', (file, specifier) => {
  expect(violation(file, specifier)).toBeDefined();
});

test('imports are found in each way to write them', () => {
  const source = `import a from './a.ts';\nimport './b.ts';\nexport { c } from "./c.ts";\nawait import('./d.ts');`;
  expect(specifiers(source)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts']);
});
