import type { Told } from './channels.ts';
import { MODULES, type Operation, type Person, PROBABILITY, type Values } from './facts.ts';

interface ModelRecord {
  readonly org: string;
  readonly module: string;
  readonly id: string;
  values: Values;
  state: 'there' | 'binned' | 'gone';
}

/** What a call does to one record. */
export type Action =
  | { readonly do: 'insert' | 'upsert'; readonly values: Values }
  | { readonly do: 'update'; readonly id: string; readonly values: Values }
  | { readonly do: 'tag' | 'untag'; readonly id: string; readonly names: readonly string[] }
  | { readonly do: 'delete' | 'restore' | 'purge'; readonly id: string };

/** What a call did to one record, as far as channels are told. */
export interface Changed extends Told {
  readonly id: string;
  readonly module: string;
  readonly operation: Operation;
  readonly related: readonly { readonly module: string; readonly id: string }[];
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const isRef = (value: unknown): value is { readonly id: string; readonly module?: string } =>
  typeof value === 'object' && value !== null && 'id' in value;

/** The records of all organisations. */
export function createRecordModel(people: readonly Person[]) {
  const records = new Map<string, ModelRecord>();
  const tagIds = new Map<string, string>();
  const found = (org: string, id: string, module?: string) => {
    const record = records.get(id);
    return record?.org === org && (module === undefined || record.module === module) ? record : undefined;
  };
  const there = (org: string, id: string, module?: string) => {
    const record = found(org, id, module);
    return record?.state === 'there' ? record : undefined;
  };

  const moduleOfRef = (module: string, field: string, ref: { readonly module?: string }): string => {
    const target = MODULES[module]?.lookups[field] ?? '';
    return target === 'any' ? (ref.module ?? '') : target;
  };

  /** What the lookups of a record point at and is there. */
  const pointedAt = ({ org, module }: ModelRecord, values: Values) =>
    Object.keys(MODULES[module]?.lookups ?? {}).flatMap((field) => {
      const ref = values[field];
      if (!isRef(ref)) return [];
      const target = there(org, ref.id, moduleOfRef(module, field, ref));
      return target ? [{ module: target.module, id: target.id }] : [];
    });

  function shown(org: string, module: string, field: string, value: unknown): unknown {
    if (value === undefined || value === null) return null;
    if (field === 'Tag')
      return (value as string[]).map((name) => ({ name, id: tagIds.get(`${org} ${module} ${name}`) }));
    if (!isRef(value)) return value;
    if (field === 'Owner') return shownPerson(people.find(({ id }) => id === value.id));
    const target = there(org, value.id);
    return { name: (target && MODULES[target.module]?.name(target.values)) ?? null, id: value.id };
  }
  const shownPerson = (person: Person | undefined) =>
    person && { name: person.name, id: person.id, email: person.email };

  const told = (org: string, module: string, values: Values, fields: readonly string[]): Values =>
    Object.fromEntries(
      fields
        .filter((field) => !MODULES[module]?.subforms.includes(field))
        .map((field) => [field, shown(org, module, field, values[field])]),
    );

  /** Records that are there and have the text as their value, the oldest first. */
  const sameValue = (org: string, module: string, field: string, value: unknown): string[] =>
    [...records.values()]
      .filter((one) => one.org === org && one.module === module && one.state === 'there')
      .filter((one) => typeof value === 'string' && one.values[field] === value)
      .map(({ id }) => id)
      .sort();

  /** Whether a field of the call cannot take its value. */
  function isRefused(org: string, module: string, given: Values, own: string | undefined): boolean {
    const { lookups = {}, unique, mandatory = [] } = MODULES[module] ?? {};
    const isWrong = Object.entries(given).some(([field, value]) => {
      if (mandatory.includes(field) && value === null) return true;
      if (field === 'City' && typeof value === 'number') return true;
      return field in lookups && isRef(value) && !there(org, value.id, moduleOfRef(module, field, value));
    });
    const isTaken =
      unique !== undefined && sameValue(org, module, unique, given[unique]).some((other) => other !== own);
    return isWrong || isTaken;
  }

  function withProbability(module: string, before: Values, given: Values): Values {
    const stage = given.Stage;
    if (module !== 'Deals' || typeof stage !== 'string' || stage === before.Stage) return given;
    return { ...given, Probability: PROBABILITY[stage] };
  }

  function insert(person: Person, module: string, given: Values, id: string): Changed | undefined {
    const { mandatory = [] } = MODULES[module] ?? {};
    const { org } = person;
    if (mandatory.some((field) => (given[field] ?? null) === null) || isRefused(org, module, given, undefined))
      return undefined;
    const values = { Owner: { id: person.id }, ...withProbability(module, {}, given) };
    const record: ModelRecord = { org, module, id, values, state: 'there' };
    records.set(id, record);
    const fields = Object.keys(given).filter((field) => given[field] !== null);
    return {
      id,
      module,
      operation: 'insert',
      fields: [],
      values: told(org, module, values, fields),
      related: pointedAt(record, values),
    };
  }

  /** `null`: it succeeds, and nothing fires. */
  function update(org: string, module: string, id: string, given: Values): Changed | null | undefined {
    const record = there(org, id, module);
    if (!record || isRefused(org, module, given, id)) return undefined;
    const before = record.values;
    const whole = withProbability(module, before, given);
    record.values = { ...before, ...whole };
    const { subforms = [] } = MODULES[module] ?? {};
    // The rows given are added to those there are.
    const different = Object.keys(whole).filter(
      (field) => subforms.includes(field) || !same(before[field], whole[field]),
    );
    if (different.length === 0) return null;
    const values = told(org, module, record.values, different);
    const related = [...pointedAt(record, record.values), ...pointedAt(record, before)];
    return { id, module, operation: 'update', fields: Object.keys(values), values, related };
  }

  /** The oldest record that an upsert of these values would update. */
  function matchOf(org: string, module: string, given: Values): string | undefined {
    for (const field of MODULES[module]?.upsertBy ?? []) {
      const [first] = sameValue(org, module, field, given[field]);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  function moved(person: Person, record: ModelRecord, operation: Operation, status: number): Changed {
    const values = { Modified_By: shownPerson(person), Record_Status__s: status };
    return {
      id: record.id,
      module: record.module,
      operation,
      fields: Object.keys(values),
      values,
      related: pointedAt(record, record.values),
    };
  }

  /** Does it to one record. `undefined`: refused. `made`: the id that the answer gave to a new one. */
  function act(person: Person, module: string, action: Action, made: string): Changed | null | undefined {
    const { org } = person;
    switch (action.do) {
      case 'insert':
        return insert(person, module, action.values, made);
      case 'upsert': {
        const id = matchOf(org, module, action.values);
        return id === undefined ? insert(person, module, action.values, made) : update(org, module, id, action.values);
      }
      case 'update':
        return update(org, module, action.id, action.values);
      case 'tag':
      case 'untag': {
        const tags = (there(org, action.id, module)?.values.Tag ?? []) as string[];
        const next =
          action.do === 'tag'
            ? [...new Set([...tags, ...action.names])]
            : tags.filter((name) => !action.names.includes(name));
        return update(org, module, action.id, { Tag: next.length > 0 ? next : null });
      }
      case 'delete': {
        const record = there(org, action.id, module);
        if (!record) return undefined;
        record.state = 'binned';
        return moved(person, record, 'delete', 0);
      }
      case 'restore': {
        const record = found(org, action.id);
        if (record?.state !== 'binned') return undefined;
        const { unique } = MODULES[record.module] ?? {};
        const holders = unique === undefined ? [] : sameValue(org, record.module, unique, record.values[unique]);
        if (holders.length > 0) return undefined;
        record.state = 'there';
        return moved(person, record, 'update', 1);
      }
      case 'purge': {
        const record = found(org, action.id);
        if (record?.state !== 'binned') return undefined;
        record.state = 'gone';
        return { ...moved(person, record, 'delete', 0), related: [] };
      }
    }
  }

  return {
    act,
    learnTag: (org: string, module: string, name: string, id: string) => tagIds.set(`${org} ${module} ${name}`, id),
    ids: (org: string, module: string | undefined, state: ModelRecord['state']) =>
      [...records.values()]
        .filter((one) => one.org === org && (module === undefined || one.module === module) && one.state === state)
        .map(({ id }) => id),
  };
}
