import { AppError } from '../domain/error.ts';

export interface Paging {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
}

const MAX_PER_PAGE = 200;
/** Keeps page × per_page an exact number that both engines take as an offset. */
const MAX_PAGE = 1_000_000;

/** Reads `page` (1 when absent) and `per_page` (200); throws INVALID_DATA that names the parameter. */
export function readPaging(query: ReadonlyMap<string, string>): Paging {
  return {
    page: readCount(query, 'page', 1, MAX_PAGE),
    perPage: readCount(query, 'per_page', MAX_PER_PAGE, MAX_PER_PAGE),
  };
}

function readCount(query: ReadonlyMap<string, string>, name: string, absent: number, max: number): number {
  const text = query.get(name);
  if (text === undefined) return absent;
  if (!/^\d{1,9}$/.test(text)) {
    throw new AppError('INVALID_DATA', 'invalid data', { expected_data_type: 'int', api_name: name });
  }
  const count = Number(text);
  if (count < 1 || count > max) {
    throw new AppError('INVALID_DATA', 'invalid data', { api_name: name, range: { from: 1, to: max } });
  }
  return count;
}
