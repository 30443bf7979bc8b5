import { createChannelModel, type Line, type ModelChannel, type Owed, type Rule, type Told } from './channels.ts';
import { atLeast, type Operation, type Person, type Values } from './facts.ts';
import { type Action, type Changed, createRecordModel } from './records.ts';

// What channels are owed, told a second time and as plainly as can be: nothing here looks at how the server does it.

const passes = (rule: Rule, changed: readonly string[]): boolean => {
  if (typeof rule === 'string') return changed.includes(rule);
  const [one, other] = rule.parts;
  return rule.operator === 'and'
    ? passes(one, changed) && passes(other, changed)
    : passes(one, changed) || passes(other, changed);
};

export type Model = ReturnType<typeof createModel>;

export function createModel(
  start: number,
  people: readonly Person[],
  hasField: (module: string, field: string) => boolean,
) {
  let now = start;
  const channels = createChannelModel(() => now, hasField);
  const records = createRecordModel(people);

  /** One call. Answers for each action whether it succeeds; `made` are the ids that the server answered. */
  function call(person: Person, module: string, actions: readonly Action[], made: readonly string[]): boolean[] {
    const done = actions.map((action, i) => records.act(person, module, action, made[i] ?? ''));
    for (const name of new Set(done.map((changed) => changed?.module))) {
      for (const operation of ['insert', 'update', 'delete'] as const) {
        const all = done.filter((changed) => changed && changed.module === name && changed.operation === operation);
        if (name !== undefined && all.length > 0) owe(person.org, name, operation, all as Changed[]);
      }
    }
    return done.map((changed) => changed !== undefined);
  }

  function owe(org: string, module: string, operation: Operation, all: readonly Changed[]): void {
    const changed = new Map<string, Told>();
    for (const { id, fields, values } of all) {
      const first = changed.get(id);
      // Written twice in one call: told once.
      changed.set(id, {
        fields: [...new Set([...(first?.fields ?? []), ...fields])],
        values: { ...first?.values, ...values },
      });
    }
    const related = all.flatMap((one) => one.related).filter(({ id }) => !changed.has(id));
    for (const channel of channels.all()) {
      if (channel.person.org !== org || !channels.isLive(channel)) continue;
      const told = new Map<string, Map<string, Told>>();
      const tell = (module: string, operation: Operation, id: string, what: Told) => {
        const event = `${module} ${operation}`;
        if (!channel.events.has(event)) return;
        const line = told.get(event) ?? new Map<string, Told>();
        told.set(event, line.set(id, what));
      };
      for (const [id, what] of changed) {
        const rule = channel.conditions[module];
        if (operation !== 'update' || rule === undefined || passes(rule, what.fields))
          tell(module, operation, id, what);
      }
      for (const { module, id } of related) {
        if (channel.related && !(module in channel.conditions)) tell(module, 'update', id, { fields: [], values: {} });
      }
      if (told.size === 0) continue;
      const { version, withValues } = channel;
      const lines = [...told].map(([event, line]): Line => {
        const [name = '', does = ''] = event.split(' ');
        return { module: name, operation: does as Operation, told: line };
      });
      channel.owed.push({ at: now, version, withValues, lines });
    }
  }

  /** The body of one notification, sent now. `query` is what the channel's URL has as query parameters. */
  function bodyOf(channel: ModelChannel, owed: Owed, line: Line, base: string, query: Values): Values {
    const { module, operation, told } = line;
    const isRich = atLeast(owed.version, 'v3');
    const fields = operation === 'insert' ? [] : [...told].map(([id, { fields }]) => ({ [id]: fields }));
    const values = [...told].map(([id, { values }]) => ({ record_id: id, values }));
    return {
      ...(isRich && { server_time: owed.at }),
      ...(isRich && owed.withValues && { affected_values: values }),
      query_params: query,
      module,
      resource_uri: `${base}/crm/v2/${module}`,
      ids: [...told.keys()],
      ...(isRich && { affected_fields: fields }),
      operation,
      channel_id: channel.channelId,
      token: channel.token,
    };
  }

  return {
    channels,
    records,
    now: () => now,
    moveTo(time: number) {
      now = time;
    },
    call,
    bodyOf,
  };
}
