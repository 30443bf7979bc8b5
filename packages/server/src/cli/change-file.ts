import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ExternalChange } from '@watchbell/client';
import { CliError } from './errors.ts';

/** A change of a file. */
export interface ChangeLine {
  readonly change: ExternalChange;
  /** Which line it is, from 1, and the line itself. */
  readonly number: number;
  readonly text: string;
}

const MAX_CHANGES = 100;
const MAX_RECORDS = 1000;
/** Half of what a server takes by default, in characters. */
const MAX_TEXT = 524_288;

/**
 * Reads a file of one change a line, step by step, in parts of one call each; the same file always comes in the same parts.
 * `-`: standard input.
 */
export async function* batchesOf(path: string): AsyncGenerator<readonly ChangeLine[]> {
  let batch: ChangeLine[] = [];
  let [records, length, number] = [0, 0, 0];
  for await (const line of path === '-' ? createInterface({ input: process.stdin }) : await linesOf(path)) {
    number += 1;
    if (line.trim() === '') continue;
    const change = readChange(line, number);
    const own = Array.isArray(change.records) ? change.records.length : 0;
    const isFull = batch.length >= MAX_CHANGES || records + own > MAX_RECORDS || length + line.length > MAX_TEXT;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      [records, length] = [0, 0];
    }
    batch.push({ change, number, text: line });
    records += own;
    length += line.length + 1;
  }
  if (batch.length > 0) yield batch;
}

async function linesOf(path: string): Promise<AsyncIterable<string>> {
  try {
    return (await open(path)).readLines();
  } catch (cause) {
    throw new CliError(`The file ${path} cannot be read.`, 1, { cause });
  }
}

/** What it holds, the server judges. */
function readChange(line: string, number: number): ExternalChange {
  let value: unknown;
  try {
    value = parseExactly(line);
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`Line ${number}: ${error.message}`);
    throw new CliError(`Line ${number} is no JSON: ${line.slice(0, 80)}`, 1, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ExternalChange;
  throw new CliError(`Line ${number} is no JSON object: ${line.slice(0, 80)}`);
}

/** JSON, but for numbers that this program would send as others: those are refused. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isSafeInteger(inner) && (inner % 1 === 0 || !Number.isFinite(inner))) {
      throw new CliError('a number is too large, or a whole one beyond 2^53: give it as text.');
    }
    return inner;
  });
}
