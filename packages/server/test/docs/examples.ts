import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { page } from './page.ts';

/** A fenced block of a page. */
interface Block {
  readonly language: string;
  readonly text: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
  /** There is no text between it and the block before. */
  readonly isRightAfter: boolean;
}

/** Calls of the API as a page shows them, with the answer that it shows. */
export interface Example {
  readonly line: number;
  readonly script: string;
  /** Parsed; undefined: the page shows none. */
  readonly shown?: unknown;
}

/** Names of all pages under `docs/`. */
export const pageNames = (): readonly string[] =>
  readdirSync(new URL('../../../../docs/', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort();

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly language: string; readonly line: number; readonly isRightAfter: boolean } | undefined;
  let lines: string[] = [];
  let end = -1;
  text.split('\n').forEach((line, i, all) => {
    const fence = /^ *```(.*)$/.exec(line)?.[1]?.trim();
    if (fence === undefined) {
      lines.push(line);
      return;
    }
    if (open) {
      blocks.push({ ...open, text: lines.join('\n') });
      end = i;
      open = undefined;
    } else {
      const isRightAfter = end >= 0 && all.slice(end + 1, i).every((between) => between.trim() === '');
      open = { language: fence, line: i + 2, isRightAfter };
    }
    lines = [];
  });
  return blocks;
}

const isExample = ({ language, text }: Block): boolean => language === 'sh' && text.includes('curl -fsS ');

export function examplesOf(text: string): readonly Example[] {
  const blocks = blocksOf(text);
  return blocks.flatMap((block, i) => {
    if (!isExample(block)) return [];
    const next = blocks[i + 1];
    const shown = next?.isRightAfter && next.language === 'json' ? { shown: JSON.parse(next.text) as unknown } : {};
    return { line: block.line, script: block.text, ...shown };
  });
}

/** Blocks that call our API and are not written so that they are run. */
export const notRunIn = (text: string): readonly string[] =>
  blocksOf(text)
    .filter((block) => !isExample(block) && /\bcurl\s/.test(block.text))
    .map(({ line, text }) => `line ${line}: ${text.split('\n').find((one) => /\bcurl\s/.test(one))}`);

/** Runs the examples of a page one after the other in one bash; what is wrong with them. */
export async function faultsOf(name: string, variables: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const examples = examplesOf(page(name));
  const out = mkdtempSync(join(tmpdir(), 'watchbell-docs-'));
  const answerOf = (i: number): string => join(out, String(i));
  const script = examples.map((example, i) => `{\n${example.script}\n} >'${answerOf(i)}'\n`).join('');
  const child = spawn('bash', ['-s'], { env: { PATH: process.env.PATH, ...variables }, cwd: out });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stdout.resume();
  child.stdin.end(`set -euo pipefail\n${script}`);
  const [code] = await once(child, 'close');
  const begun = new Set(readdirSync(out));
  const answers = examples.map((_, i) => (begun.has(String(i)) ? readFileSync(answerOf(i), 'utf8') : undefined));
  rmSync(out, { recursive: true, force: true });
  if (code !== 0) {
    const failed = examples[begun.size - 1];
    return [`docs/${name}, line ${failed?.line}: exit ${code}: ${said.trim()}\n${failed?.script}`];
  }
  return examples.flatMap(({ line, shown }, i) => {
    if (shown === undefined) return [];
    return differences(shown, readAnswer(answers[i] ?? '')).map((what) => `docs/${name}, line ${line}: ${what}`);
  });
}

function readAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/**
 * Where an answer has other keys than the page shows, or values of another kind. Of an array the first item counts; null
 * stands for anything.
 */
export function differences(shown: unknown, real: unknown, path = '$'): readonly string[] {
  if (shown === null) return [];
  if (kindOf(shown) !== kindOf(real)) return [`${path} is shown as ${kindOf(shown)} and is ${JSON.stringify(real)}`];
  if (Array.isArray(shown)) {
    if (shown.length === 0) return [];
    const [item] = real as unknown[];
    return item === undefined
      ? [`${path} is shown with items and has none`]
      : differences(shown[0], item, `${path}[0]`);
  }
  if (typeof shown !== 'object') return [];
  const [a, b] = [shown, real] as Record<string, unknown>[];
  const keys = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})]);
  return [...keys].flatMap((key) => {
    if (!(key in (a ?? {}))) return [`${path}.${key} is answered and not shown: ${JSON.stringify(b?.[key])}`];
    if (!(key in (b ?? {}))) return [`${path}.${key} is shown and not answered`];
    return differences(a?.[key], b?.[key], `${path}.${key}`);
  });
}
