import { openChannels, succeed } from '../watchbell/records.ts';
import type { Call } from '../watchbell/server.ts';
import { createWatchbell, UNCHANGED_FIELD } from './watchbell.ts';

type Rule = Readonly<Record<string, unknown>>;

const field = (api_name: string): Rule => ({ field: { api_name }, group_operator: null, group: null });
const group = (group_operator: 'and' | 'or', ...members: readonly Rule[]): Rule => ({ group_operator, group: members });

const PASSING = group('and', field('Note'), group('or', field('Stage'), field(UNCHANGED_FIELD)));
const NOT_PASSING = group('or', field(UNCHANGED_FIELD), group('and', field('Stage'), field(UNCHANGED_FIELD)));
/** Beside the one that is told of every event. */
const CHANNELS_NOT_TOLD = 9;

/** Watchbell as elsewhere, which reports values, but with a condition on its channel, and nine more that no event meets. */
export const watchbellConditions = createWatchbell({
  name: 'watchbell-conditions',
  engine: 'embedded',
  async open(call, [url = ''], [module = '']) {
    const rules = [PASSING, ...Array.from({ length: CHANNELS_NOT_TOLD }, () => NOT_PASSING)];
    for (const [i, rule] of rules.entries()) await openWithCondition(call, { id: String(i + 1), url, module, rule });
  },
});

/** Says which fields changed, but not to what. */
export const watchbellWithoutValues = createWatchbell({
  name: 'watchbell-no-values',
  engine: 'embedded',
  open: (call, urls, [module = '']) => openChannels(call, urls, { events: `${module}.edit`, withValues: false }),
});

interface ChannelWithCondition {
  readonly id: string;
  readonly url: string;
  readonly module: string;
  readonly rule: Rule;
}

async function openWithCondition(call: Call, { id, url, module, rule }: ChannelWithCondition): Promise<void> {
  const condition = { type: 'field_selection', module: { api_name: module }, field_selection: rule };
  const channel = {
    channel_id: id,
    notify_url: url,
    events: [`${module}.edit`],
    channel_expiry: `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`,
    notify_on_related_action: false,
    return_affected_field_values: true,
    notification_condition: [condition],
  };
  await succeed(call('POST', '/actions/watch', { watch: [channel] }));
}
