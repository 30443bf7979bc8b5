import { isObject } from '../../../src/domain/json.ts';
import { type Deviation, SCHEMA_DEVIATIONS, STATUS_DEVIATIONS } from './deviations.ts';
import { type Part, resolve } from './files.ts';
import { findOperation, type Operation } from './operations.ts';
import { faultsOf, type SchemaFault } from './schema.ts';

/** An answer as a caller got it. */
export interface GivenAnswer {
  readonly method: string;
  /** As asked for; the query does not count. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

export interface Verdict {
  /** Undefined: the files do not describe what was asked for. */
  readonly operation?: string;
  /** Each a line that names operation, status, place and what is wrong. */
  readonly faults: readonly string[];
  /** Intended deviations that the answer has. */
  readonly deviations: readonly Deviation[];
}

/** Compares an answer of v8 with what the OpenAPI files say of its operation. */
export function checkAnswer(answer: GivenAnswer): Verdict {
  const { pathname } = new URL(answer.path, 'http://localhost');
  const operation = findOperation(answer.method.toUpperCase(), pathname);
  if (!operation) return { faults: [], deviations: [] };
  const { name } = operation;
  const [nearest] = expectationsOf(operation, answer.status)
    .map((expectation) => judge(name, answer, expectation))
    .sort((a, b) => a.faults.length - b.faults.length);
  const { faults, deviations } = nearest ?? { faults: ['the status is not among those described'], deviations: [] };
  return { operation: name, faults: faults.map((fault) => `${name} ${answer.status}: ${fault}`), deviations };
}

interface Expectation {
  /** One of these for each entry, when the answer has entries that are judged one by one; else the first for all. */
  readonly responses: readonly Part[];
  readonly deviation?: Deviation;
}

/** What is described for a status, then what intended deviations put in its place. */
function expectationsOf({ name, responses: { file, value } }: Operation, status: number): readonly Expectation[] {
  const described = (key: string | number): Part[] => {
    const response = value[key];
    return isObject(response) ? [{ file, value: response }] : [];
  };
  const own = described(status).map((response) => ({ responses: [response] }));
  const instead = STATUS_DEVIATIONS.filter((one) => one.operations.test(name) && one.statuses.includes(status))
    .map((deviation) => ({ responses: deviation.as.flatMap((key) => COMMON[key] ?? described(key)), deviation }))
    .filter(({ responses }) => responses.length > 0);
  return [...own, ...instead];
}

const COMMON: Readonly<Record<string, Part>> = {
  nothing: { file: 'common', value: {} },
  exception: {
    file: 'common',
    value: { content: { 'application/json': { schema: { $ref: '#/components/schemas/API_Exception' } } } },
  },
};

/** The faults that an answer has if it should be as expected, and the intended deviations. */
function judge(
  operation: string,
  answer: GivenAnswer,
  { responses, deviation }: Expectation,
): Omit<Verdict, 'operation'> {
  const deviations = deviation ? [deviation] : [];
  const schemas = responses.flatMap((response) => schemaOf(response) ?? []);
  if (schemas.length === 0) return { faults: answer.body === '' ? [] : ['the body is not described'], deviations };
  if (!/^application\/json(?:;|$)/.test(answer.contentType ?? '')) {
    return { faults: [`the content type is ${answer.contentType ?? 'missing'}`], deviations };
  }
  const body = parse(answer.body);
  if (!body) return { faults: ['the body is no JSON'], deviations };
  const intended = (fault: SchemaFault) => SCHEMA_DEVIATIONS.find((one) => excuses(one, operation, fault));
  const isIntended = (fault: SchemaFault) => intended(fault) !== undefined;
  const all = (deviation ? entriesOf(body.value) : [body.value]).flatMap((value) => {
    const [nearest] = schemas
      .map((schema) => faultsOf(value, schema, isIntended))
      .sort((a, b) => a.filter((one) => !isIntended(one)).length - b.filter((one) => !isIntended(one)).length);
    return nearest ?? [];
  });
  return {
    faults: all.filter((fault) => !isIntended(fault)).map(({ path, says }) => `${path} ${says}`),
    deviations: [...deviations, ...all.flatMap((fault) => intended(fault) ?? [])],
  };
}

/** Each entry of a watch call alone, as if it were the only one: the files describe no answer of a mixed kind. */
function entriesOf(body: unknown): readonly unknown[] {
  if (!isObject(body) || !Array.isArray(body.watch)) return [body];
  return body.watch.map((entry) => ({ ...body, watch: [entry] }));
}

const excuses = (one: (typeof SCHEMA_DEVIATIONS)[number], name: string, fault: SchemaFault): boolean =>
  one.operations.test(name) &&
  one.path.test(fault.path) &&
  one.what.includes(fault.what) &&
  (one.says?.test(fault.says) ?? true);

function schemaOf(response: Part): Part | undefined {
  const found = resolve(response);
  const content = found?.value.content;
  const json = isObject(content) ? content['application/json'] : undefined;
  return found && isObject(json) && isObject(json.schema) ? { file: found.file, value: json.schema } : undefined;
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
