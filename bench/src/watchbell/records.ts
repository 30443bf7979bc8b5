import type { Call } from './server.ts';

const PER_CALL = 100;

/** Fails with what was answered, unless it was a success of all. */
export async function succeed(answer: ReturnType<Call>): Promise<unknown> {
  const { status, body } = await answer;
  if (status >= 300 || status === 207) throw new Error(`${status} ${JSON.stringify(body).slice(0, 500)}`);
  return body;
}

/** Ids of so many new contacts. */
export async function addContacts(call: Call, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const data = Array.from({ length: Math.min(PER_CALL, count - ids.length) }, (_, i) => ({
      Last_Name: `Contact ${ids.length + i}`,
    }));
    const body = (await succeed(call('POST', '/Contacts', { data }))) as {
      readonly data: readonly { readonly details: { readonly id: string } }[];
    };
    ids.push(...body.data.map(({ details }) => details.id));
  }
  return ids;
}

/**
 * Opens a channel for each URL on `events`, which reports what changed with its values, for a day; their ids are
 * `from`, `from` + 1, …
 */
export async function openChannels(
  call: Call,
  urls: readonly string[],
  { events = 'Contacts.edit', from = 1, withValues = true } = {},
): Promise<void> {
  const channel_expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  const rest = {
    events: [events],
    channel_expiry,
    notify_on_related_action: false,
    return_affected_field_values: withValues,
  };
  for (let at = 0; at < urls.length; at += PER_CALL) {
    const watch = urls
      .slice(at, at + PER_CALL)
      .map((notify_url, i) => ({ channel_id: String(from + at + i), notify_url, ...rest }));
    await succeed(call('POST', '/actions/watch', { watch }));
  }
}
