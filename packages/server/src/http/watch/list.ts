import type { Channel } from '../../domain/channel.ts';
import type { FieldRule } from '../../domain/condition.ts';
import { AppError } from '../../domain/error.ts';
import { modulesOf } from '../../domain/event-type.ts';
import { parseChannelId } from '../../domain/ids.ts';
import { fieldId, findField, findFormer, findModule, mayUse } from '../../domain/modules/catalog.ts';
import { formatTime } from '../../domain/time.ts';
import { type ListKey, VERSION_RULES } from '../../domain/wire/api-version.ts';
import { eventName } from '../../domain/wire/event-name.ts';
import type { ChannelPage, ChannelQuery } from '../../services/channels.ts';
import type { Answer, Call } from '../call.ts';
import { type AnswerContext, resourceOf } from './answer.ts';

const MAX_PER_PAGE = 200;

/** Reads `page`, `per_page`, `module` and `channel_id`, in this order (reference §2.4). */
export function readListQuery({ query, principal }: Call): ChannelQuery {
  const page = readCount(query.get('page'), 'page', 1);
  const perPage = readCount(query.get('per_page'), 'per_page', MAX_PER_PAGE, MAX_PER_PAGE);
  const module = query.get('module');
  if (module !== undefined && !(findModule(principal.catalog, module) && mayUse(principal.profile, module))) {
    throw new AppError('INVALID_MODULE', 'the module name given seems to be invalid');
  }
  const id = query.get('channel_id');
  // A bare `+` has become a space, as in `channel_ids`.
  const channelId = id === undefined ? undefined : parseChannelId(id.trim());
  if (id !== undefined && channelId === undefined) throw invalidParam('long', 'channel_id');
  return { page, perPage, module, channelId };
}

function readCount(text: string | undefined, name: string, byDefault: number, maximum = Infinity): number {
  if (text === undefined) return byDefault;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > maximum) throw invalidParam('int', name);
  return count;
}

const invalidParam = (expected: string, name: string): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { expected_data_type: expected, api_name: name });

/** One row for each module of each channel; `page` and `per_page` count channels, `count` counts rows. */
export function listAnswer(query: ChannelQuery, page: ChannelPage, context: AnswerContext): Answer {
  const rows = page.channels.flatMap((channel) =>
    modulesOf(channel.events)
      .filter((module) => query.module === undefined || query.module === module)
      .map((module) => listRow(channel, module, context)),
  );
  if (rows.length === 0) return { status: 204 };
  const info = { per_page: query.perPage, count: rows.length, page: query.page, more_records: page.hasMore };
  return { status: 200, body: { watch: rows, info } };
}

function listRow(channel: Channel, module: string, context: AnswerContext): object {
  const row: Record<ListKey, unknown> = {
    notify_on_related_action: channel.notifyOnRelated,
    channel_expiry: formatTime(channel.expiresAt, context.principal.org.timeZone),
    return_affected_field_values: channel.withValues,
    ...resourceOf(module, context),
    notify_url: channel.notifyUrl,
    resource_name: module,
    fields: null,
    notification_condition: conditionOf(channel, module, context),
    channel_id: channel.channelId,
    events: channel.events.filter((event) => event.module === module).map(eventName),
    token: channel.token,
  };
  return Object.fromEntries(VERSION_RULES[context.version].listKeys.map((key) => [key, row[key]]));
}

/** Shown with the rows of its own module; ids are filled in where only names were given (reference §4.7). */
function conditionOf(channel: Channel, module: string, context: AnswerContext): readonly object[] | null {
  const condition = channel.conditions.find((candidate) => candidate.module === module);
  if (!condition) return null;
  const { resource_id: id } = resourceOf(module, context);
  const field_selection = ruleOf(condition.rule, module, context);
  return [{ field_selection, module: { api_name: module, id }, type: 'field_selection' }];
}

function ruleOf(rule: FieldRule, moduleName: string, context: AnswerContext): object {
  if (rule.kind === 'group') {
    return { group_operator: rule.operator, group: rule.members.map((member) => ruleOf(member, moduleName, context)) };
  }
  const module = findFormer(context.principal.catalog, moduleName);
  const field = module && findField(module, rule.field);
  if (!field) throw new Error(`a condition names the unknown field ${moduleName}.${rule.field}`);
  const id = fieldId(context.principal.org.id, module, field);
  return { field: { api_name: field.apiName, id }, group_operator: null, group: null };
}
