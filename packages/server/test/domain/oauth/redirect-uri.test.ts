import { describe, expect, test } from 'vitest';
import {
  isLoopbackUri,
  redirectOrigin,
  redirectUriFault,
  withParameters,
} from '../../../src/domain/oauth/redirect-uri.ts';

describe('a redirect URI', () => {
  const sound: readonly [string, string, boolean][] = [
    ['https://app.example.com', 'https://app.example.com', false],
    ['https://app.example.com/oauth/callback?a=1&b=%20', 'https://app.example.com', false],
    ['https://App.Example.com:8443/', 'https://app.example.com:8443', false],
    ['https://app.example.com?x=1', 'https://app.example.com', false],
    ['http://localhost:3000/cb', 'http://localhost:3000', true],
    ['http://127.0.0.1/cb', 'http://127.0.0.1', true],
    ['http://[::1]:3000/cb', 'http://[::1]:3000', true],
    ['https://localhost/cb', 'https://localhost', false],
  ];

  test.each(sound)('%s is sound', (uri, origin, isLoopback) => {
    expect(redirectUriFault(uri)).toBeUndefined();
    expect(redirectOrigin(uri)).toBe(origin);
    expect(isLoopbackUri(uri)).toBe(isLoopback);
  });

  const unsound = [
    '',
    'app.example.com/cb',
    '/cb',
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://app.example.com/',
    'http://app.example.com/cb',
    'http://localhost.example.com/cb',
    'http://127.0.0.1.example.com/cb',
    'https://user@app.example.com/cb',
    'https://app.example.com/cb#part',
    'https://app.example.com:0/',
    'https://app.example.com:65536/',
    'https://app.example.com/a b',
    'https://app.example.com/"x',
    "https://app.example.com/'x",
    'https://app.example.com/\r\nset-cookie: a=b',
    'https://app.example.com/\\evil',
    "https://a;script-src 'unsafe-inline'/",
    'https://a;b.example.com/',
    'https://a b.example.com/',
    'https://exämple.com/',
    `https://app.example.com/${'x'.repeat(500)}`,
  ];

  test.each(unsound)('%j is not', (uri) => {
    expect(redirectUriFault(uri)).toEqual(expect.any(String));
    expect(isLoopbackUri(uri)).toBe(false);
  });

  test('keeps its own parameters before those that are added', () => {
    const added = [
      ['code', '1000.a'],
      ['state', 'a&b=c d'],
    ] as const;
    expect(withParameters('https://a.example/cb', added)).toBe('https://a.example/cb?code=1000.a&state=a%26b%3Dc%20d');
    expect(withParameters('https://a.example/?x=%7e', added)).toBe(
      'https://a.example/?x=%7e&code=1000.a&state=a%26b%3Dc%20d',
    );
  });
});
