import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { SETTINGS } from '../../src/settings.ts';

const ROOT = new URL('../../../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, ROOT), 'utf8');
const compose = read('compose.yaml');
const dockerfile = read('Dockerfile');

/** `environment` of the nodes, by name, with what Compose would put in. */
function environmentOfNodes(given: Readonly<Record<string, string>>): Record<string, string> {
  const entries = [...compose.matchAll(/^ {4}(WATCHBELL_\w+): (.*)$/gm)].map(([, name = '', text = '']) => {
    const value = text.replaceAll(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_, variable, operator, rest) => {
      const set = given[variable];
      if (set) return set;
      if (operator === '?') throw new Error(`${variable}: ${rest}`);
      return rest ?? '';
    });
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

const GIVEN = {
  POSTGRES_PASSWORD: '0123456789abcdef',
  WATCHBELL_SECRET_KEY: 'ab'.repeat(32),
  WATCHBELL_PUBLIC_URL: 'https://watchbell.example.com',
};

test('compose.yaml sets settings that there are, and with what it asks for a node starts', () => {
  const environment = environmentOfNodes(GIVEN);
  const known: string[] = Object.values(SETTINGS).map(({ env }) => env);
  expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
  expect(loadConfig('production', {}, environment)).toMatchObject({
    database: { shown: 'database:5432/watchbell' },
    publicUrl: 'https://watchbell.example.com',
  });
});

test.each(Object.keys(GIVEN))('compose.yaml does not start without %s', (name) => {
  expect(() => environmentOfNodes({ ...GIVEN, [name]: '' })).toThrow(name);
});

test('compose.yaml maps ports to the one that the server listens on, and has no tabs', () => {
  const ports = [...compose.matchAll(/ports: \["127\.0\.0\.1:\d+:(\d+)"\]/g)].map(([, port]) => port);
  expect(ports).toEqual([SETTINGS.port.fallback, SETTINGS.port.fallback]);
  expect(dockerfile).toContain(`EXPOSE ${SETTINGS.port.fallback}`);
  expect(compose).not.toContain('\t');
});

test('the Dockerfile copies what is there, and .dockerignore lets it through', () => {
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '));
  expect(sources.length).toBeGreaterThan(8);
  expect(sources.filter((name) => !existsSync(new URL(name, ROOT)))).toEqual([]);
  const through = [...read('.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, name = '']) => name);
  expect(sources.filter((name) => !through.some((open) => name === open || name.startsWith(`${open}/`)))).toEqual([]);
  const names = [...dockerfile.matchAll(/WATCHBELL_\w+/g)].map(([name]) => name);
  expect(names.filter((name) => !Object.values(SETTINGS).some(({ env }) => env === name))).toEqual([]);
});
