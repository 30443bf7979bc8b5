import { expect } from 'vitest';
import type { Ref, Step } from './commands.ts';
import { MODULES, type Person, type Values } from './facts.ts';
import type { Action } from './records.ts';
import { call, idsIn, successes, type World } from './world.ts';

const UNKNOWN = '3652397999999999999';

/** A step that changes records. */
export type Change = Exclude<Step, { do: 'watch' | 'unwatch' | 'move' | 'brink' | 'restart' }>;

/** Makes the call and holds its answers, too, against the model. */
export async function change(world: World, step: Change): Promise<void> {
  const { model, people } = world;
  const person = people[step.by];
  const { module } = step;
  const path = `v8/${module}`;
  const send = async (actions: readonly Action[], method: string, target: string, body?: object, list = 'data') => {
    const answer = await call(world, step.by, method, target, body);
    const expected = model.call(person, module, actions, idsIn(answer.body, list));
    expect(successes(answer.body, list), JSON.stringify([step, answer.body])).toEqual(expected);
  };
  switch (step.do) {
    case 'insert':
    case 'upsert': {
      const data = step.items.map((item) => valued(world, person, module, item));
      const target = step.do === 'insert' ? path : `${path}/upsert`;
      return send(
        data.map((values) => ({ do: step.do, values })),
        'POST',
        target,
        { data },
      );
    }
    case 'update': {
      const actions = step.items.map(({ at, values }) => ({
        do: 'update' as const,
        id: idOf(world, person, module, at),
        values: valued(world, person, module, values),
      }));
      return send(actions, 'PUT', path, { data: actions.map(({ id, values }) => ({ id, ...values })) });
    }
    case 'mass_update': {
      const ids = idsOf(world, person, module, step.refs);
      const values = { City: 'Oslo' };
      const actions = ids.map((id) => ({ do: 'update' as const, id, values }));
      return send(actions, 'POST', `${path}/actions/mass_update`, { data: [values], ids });
    }
    case 'change_owner': {
      const ids = idsOf(world, person, module, step.refs);
      const owner = people[step.owner];
      // A user of another organisation is nobody here.
      const isThere = owner.org === person.org;
      const given = isThere ? owner : person;
      const actions = ids.map((id) => ({ do: 'update' as const, id, values: { Owner: { id: given.id } } }));
      return send(actions, 'POST', `${path}/actions/change_owner`, { owner: { id: given.id }, ids });
    }
    case 'tag':
    case 'untag': {
      const ids = idsOf(world, person, module, step.refs);
      const actions = ids.map((id) => ({ do: step.do, id, names: step.names }));
      const tags = step.names.map((name) => ({ name }));
      return send(actions, 'POST', `${path}/actions/${step.do === 'tag' ? 'add' : 'remove'}_tags`, { tags, ids });
    }
    case 'delete':
    case 'mass_delete': {
      const ids = idsOf(world, person, module, step.refs);
      const actions = ids.map((id) => ({ do: 'delete' as const, id }));
      return step.do === 'delete'
        ? send(actions, 'DELETE', `${path}?ids=${ids.join(',')}`)
        : send(actions, 'POST', `${path}/actions/mass_delete`, { ids });
    }
    case 'restore':
    case 'purge': {
      const bin = model.records.ids(person.org, undefined, 'binned');
      const pool = bin.length > 0 ? [...bin, ...bin, ...bin, UNKNOWN] : [UNKNOWN];
      const ids = [...new Set(step.refs.map(({ ref }) => pool[ref % pool.length] ?? UNKNOWN))];
      const how = step.do;
      const actions = ids.map((id) => ({ do: how, id }));
      return how === 'restore'
        ? send(actions, 'POST', 'v8/settings/recycle_bin/actions/restore', { ids }, 'recycle_bin')
        : send(actions, 'DELETE', `v8/settings/recycle_bin?ids=${ids.join(',')}`, undefined, 'recycle_bin');
    }
  }
}

/** Mostly one that is there; else a deleted one, another organisation's, or none. */
function idOf({ model, people }: World, { org }: Person, module: string, { ref }: Ref): string {
  const there = model.records.ids(org, module, 'there');
  const foreign = Object.values(people).find((person) => person.org !== org)?.org ?? '';
  const others = [
    ...model.records.ids(org, module, 'binned'),
    ...model.records.ids(foreign, module, 'there').slice(0, 1),
    UNKNOWN,
  ];
  const pool = [...there, ...there, ...there, ...there, ...others];
  return pool[ref % pool.length] ?? UNKNOWN;
}

const idsOf = (world: World, person: Person, module: string, refs: readonly Ref[]): string[] => [
  ...new Set(refs.map((ref) => idOf(world, person, module, ref))),
];

function valued(world: World, person: Person, module: string, item: Values): Values {
  return Object.fromEntries(
    Object.entries(item).map(([field, value]) => {
      if (field === 'Quoted_Items') return [field, [{ Product_Name: { id: world.products[person.org] }, Quantity: 1 }]];
      if (typeof value !== 'object' || value === null) return [field, value];
      const { ref, module: named } = value as Ref & { readonly module?: string };
      const target = named ?? MODULES[module]?.lookups[field] ?? '';
      return [field, { id: idOf(world, person, target, { ref }), ...(named !== undefined && { module: named }) }];
    }),
  );
}
