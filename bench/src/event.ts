import type { Serial } from './system.ts';

/** An event is a record that was edited: what a notification of it tells. */
export interface Event {
  readonly id: string;
  readonly values: { readonly Stage: string; readonly Total: number; readonly Note: string };
}

export const MODULE = 'Orders';
const STAGES = ['New', 'Paid', 'Packed', 'Sent', 'Returned'];
const NOTE =
  'Leave it with the neighbours at the second door, who are in until five, and ring twice when nobody opens at once. ';
/** So that the body of a notification has about 600 bytes. */
const NOTE_LENGTH = 250;

/** By which the sink knows the event in the body of a notification. */
export const markerOf = (serial: Serial): string => `t:${String(serial).padStart(12, '0')}`;

export const eventOf = (serial: Serial): Event => ({
  id: markerOf(serial),
  values: {
    Stage: STAGES[serial % STAGES.length] ?? '',
    Total: serial % 1000,
    Note: `${serial} ${NOTE.repeat(3)}`.slice(0, NOTE_LENGTH),
  },
});

/**
 * The text that is POSTed for an event, of the length and the keys that Watchbell's notification of it has. It has no
 * quotes to be escaped, so it may be put together as it stands.
 */
export function bodyOf(serial: Serial, at = Date.now()): string {
  const { id, values } = eventOf(serial);
  return (
    `{"server_time":${at},"affected_values":[{"record_id":"${id}","values":{"Stage":"${values.Stage}","Total":${values.Total},"Note":"${values.Note}"}}],` +
    `"query_params":{},"module":"${MODULE}","resource_uri":"http://127.0.0.1/crm/v2/${MODULE}","ids":["${id}"],` +
    `"affected_fields":[{"${id}":["Stage","Total","Note"]}],"operation":"update","channel_id":"1","token":null}`
  );
}
