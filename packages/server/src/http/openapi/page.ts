import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const DIRECTORY = new URL('../../../pages/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, DIRECTORY), 'utf8');

export interface DocsPage {
  readonly html: string;
  /** Lets the page run and show what is in it, ask this server, and nothing else. */
  readonly policy: string;
}

/** The page that shows the API document: one answer with all it needs, so that it works without a network. */
export function readDocsPage(): DocsPage {
  const style = read('docs.css');
  const script = read('docs.js');
  const html = read('docs.html')
    .replace('/*style*/', () => style)
    .replace('/*script*/', () => script);
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { html, policy: policy.join('; ') };
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
