import { expect, test } from 'vitest';
import { readDatabaseUrl, showDatabase } from '../../src/domain/database-url.ts';

const urls = (text: string): string[] => readDatabaseUrl(text).hosts.map(({ url }) => url);

test.each([
  ['postgres://u:p@db/bell', ['postgres://u:p@db:5432/bell']],
  ['postgresql://u@db:6432/bell', ['postgres://u@db:6432/bell']],
  ['postgres://db/bell', ['postgres://db:5432/bell']],
  [
    'postgres://u:p@a:5433,b,[::1]:5434/bell',
    ['postgres://u:p@a:5433/bell', 'postgres://u:p@b:5432/bell', 'postgres://u:p@[::1]:5434/bell'],
  ],
  ['postgres://u:p%40%2F@10.0.0.1/a%20b', ['postgres://u:p%40%2F@10.0.0.1:5432/a%20b']],
  ['postgres://u@/bell?host=/var/run/postgresql', ['postgres://u@%2Fvar%2Frun%2Fpostgresql:5432/bell']],
  ['postgres://u@%2Frun:5433/bell', ['postgres://u@%2Frun:5433/bell']],
  ['postgres://db/bell?target_session_attrs=read-write', ['postgres://db:5432/bell']],
  [
    'postgres://db/bell?sslmode=require&application_name=bell',
    ['postgres://db:5432/bell?sslmode=require&application_name=bell&uselibpqcompat=true'],
  ],
])('%s is a URL for each of its servers', (text, expected) => {
  expect(urls(text)).toEqual(expected);
});

test('it is shown without its credentials', () => {
  expect(showDatabase(readDatabaseUrl('postgres://ada:secret@a,[::1]:5433/bell?sslmode=require'))).toBe(
    'a:5432,[::1]:5433/bell',
  );
});

test.each([
  ['mysql://u:secret@db/bell', 'must look like postgres://'],
  ['postgres:db', 'must look like postgres://'],
  ['postgres://u:secret@db/bell#x', 'must look like postgres://'],
  ['postgres://u:secret@db', 'must name one database'],
  ['postgres://u:secret@db/', 'must name one database'],
  ['postgres://u:secret@db/a/b', 'must name one database'],
  ['postgres://u:sec@ret@db/bell', 'must be written as %40'],
  ['postgres://u:sec/ret@db/bell', 'must be written as %40'],
  ['postgres://u:sec?ret@db/bell', 'must be written as %40'],
  ['postgres://u:sec:ret@db/bell', 'must be written as %3A'],
  ['postgres://u:sec%ret@db/bell', 'begins no %xx'],
  ['postgres://u:secret@/bell', 'names no host'],
  ['postgres://u:secret/bell', 'names no host'],
  ['postgres://u:secret@a,,b/bell', 'names no host, or not as host or host:port, as number 2'],
  ['postgres://u:secret@a:0/bell', 'has no port from 1 to 65535 at host number 1'],
  ['postgres://u:secret@a:70000/bell', 'has no port from 1 to 65535'],
  ['postgres://u:secret@a:b/bell', 'names no host'],
  ['postgres://u:secret@a b/bell', 'names no host'],
  ['postgres://u:secret@db/bell?ssl_mode=require', 'a parameter that is not known: ssl_mode'],
  ['postgres://u:secret@db/bell?sslmode=prefer', 'can have as sslmode only disable, require, verify-ca, verify-full'],
  ['postgres://u:secret@db/bell?sslmode=verify-ca', 'needs sslrootcert'],
  ['postgres://u:secret@db/bell?sslrootcert=/ca', 'needs sslmode'],
  ['postgres://u:secret@db/bell?sslmode=require&sslmode=disable', 'sslmode twice'],
  ['postgres://u:secret@db/bell?target_session_attrs=any', 'no other target_session_attrs'],
  ['postgres://u:secret@db/bell?host=/run', 'names a host before the path and one as host='],
  ['postgres://u:secret@/bell?host=db', 'the absolute path of a directory'],
  [`postgres://u:secret@${Array(17).fill('a').join()}/bell`, 'more than 16 hosts'],
])('%s is refused, without a word of its password', (text, said) => {
  expect(() => readDatabaseUrl(text)).toThrow(said);
  expect(() => readDatabaseUrl(text)).not.toThrow(/sec%?ret|secret/);
});
