/** Shapes of everything that goes over the wire, with the API's own names. Ids are digit strings: they exceed 2^53. */

export type ApiVersion = 'v2' | 'v2.1' | 'v3' | 'v4' | 'v5' | 'v6' | 'v7' | 'v8';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** `{module}.{operation}`, such as `Deals.edit`; `all` stands for the other three. */
export type EventName = `${string}.${'create' | 'edit' | 'delete' | 'all'}`;

export interface FieldRef {
  readonly api_name?: string;
  readonly id?: string;
}

/** One watched field, or two members joined by an operator; nest groups for more, at most ten fields in all. */
export type FieldSelection =
  | { readonly field: FieldRef }
  | { readonly group_operator: 'and' | 'or'; readonly group: readonly FieldSelection[] };

/** Edits of the module are notified only when the selected fields changed (v6 and later). */
export interface NotificationCondition {
  readonly type: 'field_selection';
  readonly module: FieldRef;
  readonly field_selection: FieldSelection;
}

/** What opens or replaces a channel. */
export interface WatchEntry {
  /** Chosen by the caller: decimal text of a signed 64-bit integer, unique among the caller's channels. */
  readonly channel_id: string;
  readonly notify_url: string;
  readonly events: readonly EventName[];
  /** Echoed in every notification; 1 to 50 characters. */
  readonly token?: string | null;
  /** ISO 8601 without fraction. Absent or beyond the version's maximum: one hour from now. */
  readonly channel_expiry?: string | null;
  readonly notify_on_related_action?: boolean | null;
  readonly return_affected_field_values?: boolean | null;
  readonly notification_condition?: readonly NotificationCondition[] | null;
}

/** What PUT takes: all but `notify_url` goes back to its default when it is absent. */
export type WatchReplacement = Omit<WatchEntry, 'notify_url'> & { readonly notify_url?: string };
/** What PATCH takes: what is absent stays as it is; events are added. */
export type WatchPatch = Pick<WatchEntry, 'channel_id'> & Partial<WatchEntry>;

/** One module of a channel, as answers name it. */
export interface WatchedModule {
  /** Absent when events were removed. */
  readonly channel_expiry?: string;
  readonly resource_uri: string;
  readonly resource_id: string;
  readonly resource_name: string;
  readonly channel_id: string;
}

export interface WatchDetails {
  readonly events: readonly WatchedModule[];
}

/** A DELETE answers one for each module of each channel. */
export interface DeletedWatch {
  readonly resource_uri: string;
  readonly resource_id: string;
  readonly channel_id: string;
}

/** One module of a live channel in the list. */
export interface WatchRow {
  readonly notify_on_related_action: boolean;
  readonly channel_expiry: string;
  /** From v3. */
  readonly return_affected_field_values?: boolean;
  readonly resource_uri: string;
  readonly resource_id: string;
  readonly notify_url: string;
  readonly resource_name: string;
  readonly fields?: Json;
  /** From v6. */
  readonly notification_condition?: Json;
  readonly channel_id: string;
  readonly events: readonly EventName[];
  readonly token: string | null;
}

export interface PageInfo {
  readonly per_page: number;
  readonly count: number;
  readonly page: number;
  readonly more_records: boolean;
}

/** A notification of a v2 or v2.1 channel. */
export interface NotificationV2 {
  readonly query_params: Readonly<Record<string, string>>;
  readonly module: string;
  readonly resource_uri: string;
  /** One or several: read them all. */
  readonly ids: readonly string[];
  readonly operation: 'insert' | 'update' | 'delete';
  readonly channel_id: string;
  readonly token: string | null;
}

/** A notification of a channel of v3 or later. */
export interface NotificationV3 extends NotificationV2 {
  /** Epoch milliseconds of the commit, the same on every retry. */
  readonly server_time: number;
  /** Names of the changed fields by record id; empty for inserts. */
  readonly affected_fields: readonly Readonly<Record<string, readonly string[]>>[];
  /** Only when the channel asked for values. */
  readonly affected_values?: readonly { readonly record_id: string; readonly values: Readonly<Record<string, Json>> }[];
}

/** A notification of a channel of any version. */
export type Notification = NotificationV2 & Partial<Omit<NotificationV3, keyof NotificationV2>>;

export interface WireError {
  readonly code: string;
  readonly details: Readonly<Record<string, Json>>;
  readonly message: string;
  readonly status: 'error';
}

/** One item of a list answer: judged alone, in the order of the request. */
export type ItemResult<Details> =
  | { readonly code: 'SUCCESS'; readonly details: Details; readonly message: string; readonly status: 'success' }
  | WireError;

/** Field values by API name, as given and as answered. */
export type RecordValues = Readonly<Record<string, Json>>;
export type CrmRecord = RecordValues & { readonly id: string };

export interface UserRef {
  readonly name: string;
  readonly id: string;
}

export interface WrittenRecord {
  readonly id: string;
  readonly Created_Time?: string;
  readonly Modified_Time?: string;
  readonly Created_By?: UserRef;
  readonly Modified_By?: UserRef;
}

export interface RecordPage {
  readonly data: readonly CrmRecord[];
  readonly info: PageInfo;
}

/** The part of a field's metadata that callers need to fill in a record. */
export interface FieldInfo {
  readonly id: string;
  readonly api_name: string;
  readonly field_label: string;
  readonly data_type: string;
  readonly system_mandatory: boolean;
  readonly read_only?: boolean;
  readonly length?: number;
  /** Of a lookup; the module is an object from v3 on. */
  readonly lookup?: { readonly module?: { readonly api_name: string } };
  readonly pick_list_values?: readonly { readonly display_value: string; readonly actual_value: string }[];
}

export interface OrgInfo {
  readonly id: string;
  readonly company_name: string;
  readonly zgid: string;
  readonly time_zone?: string;
}

/** Answer of `/oauth/v2/token`; a refusal is `{ error }` with HTTP status 200. */
export type TokenAnswer =
  | {
      readonly access_token: string;
      readonly refresh_token?: string;
      readonly scope?: string;
      readonly api_domain: string;
      readonly token_type: string;
      /** Seconds. */
      readonly expires_in: number;
    }
  | { readonly error: string };

/** What `watchbell setup --json` prints and the dev profile writes to `credentials.json`. */
export interface Credentials {
  readonly base: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly admin_token: string;
}

/** A request that was POSTed to the inbox. */
export interface InboxMessage {
  /** Counts the messages of the server from 1. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly received_at: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON it is, else the text. */
  readonly body: Json;
}

export interface InboxListing {
  readonly messages: readonly InboxMessage[];
  /** Messages that the bounds of the inbox pushed out. */
  readonly dropped: number;
}

/** An organisation, as operators see it. */
export interface AdminOrg {
  readonly id: string;
  /** Empty while it is being erased. */
  readonly name: string;
  readonly time_zone: string;
  readonly state: 'active' | 'suspended' | 'erasing';
  readonly suspended_at: string | null;
}

/** A new organisation with its first user and client; the secrets are shown here and never again. */
export interface MadeOrg {
  readonly org: AdminOrg;
  readonly user_id: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly admin_token: string;
}

export interface AdminUser {
  readonly id: string;
  readonly email: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly profile: { readonly id: string; readonly name: string };
  readonly status: 'active' | 'inactive' | 'removed';
}

export interface ChannelsEnded {
  readonly channels_ended: number;
}

export interface AdminProfile {
  readonly id: string;
  readonly name: string;
  /** API names of modules that its users may neither read, write nor watch. */
  readonly denied_modules: readonly string[];
}

export interface AdminClient {
  readonly id: string;
  readonly name: string;
  readonly redirect_uris: readonly string[];
  readonly acting_user: string | null;
  readonly former_secret_until: string | null;
  readonly created_at: string;
}

export interface ClientWithSecret {
  readonly client: AdminClient;
  readonly client_secret: string;
}

/** What is known of a token; the token itself is not kept. */
export interface AdminToken {
  readonly id: string;
  readonly kind: string;
  readonly user: string | null;
  readonly client: string | null;
  readonly scopes: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
}

/** What is known of a signing secret; the secret itself is not shown again. */
export interface AdminSigning {
  /** Of a channel: with a secret of its own. */
  readonly signed: boolean;
  /** When the present secret was made. */
  readonly since: string | null;
  /** Until then the secret before signs, too. */
  readonly former_until: string | null;
}

/** The clock of the dev profile; times are ISO 8601. */
export interface ClockState {
  readonly now: string;
  readonly frozen: boolean;
  readonly real_now: string;
  /** When the next retry or turn of housekeeping is due. */
  readonly next_due: string | null;
}

export interface AdvancedClock extends ClockState {
  /** Where it was to go. */
  readonly target: string;
  /** Times at which something fell due. */
  readonly steps: number;
  /** False: it stopped before, at `now`. */
  readonly reached: boolean;
  readonly stopped_by: 'steps' | 'time' | 'stop' | null;
}
