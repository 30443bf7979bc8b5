import { Type } from 'typebox';

// What the routes of an operator share. What values may hold is decided in the services.

export const closed = { additionalProperties: false } as const;

export const orgPath = '/_watchbell/v1/orgs';

const Id = (description: string) => Type.String({ pattern: '^\\d{19}$', description });
export const InOrg = Type.Object({ org: Type.String({ pattern: '^[1-8]\\d{6}$', description: 'Seven digits' }) });
export const OneUser = Type.Object({ ...InOrg.properties, user: Id('Id of the user') });
export const OneProfile = Type.Object({ ...InOrg.properties, profile: Id('Id of the profile') });
export const OneClient = Type.Object({
  ...InOrg.properties,
  client: Type.String({ minLength: 1, maxLength: 100, description: 'Client id' }),
});

export const Paging = {
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  per_page: Type.Integer({ minimum: 1, maximum: 200, default: 200 }),
};
export const PageQuery = Type.Object(Paging, closed);
export const Info = Type.Object({
  page: Type.Integer(),
  per_page: Type.Integer(),
  count: Type.Integer(),
  more_records: Type.Boolean(),
});

export const Time = Type.String({ description: 'ISO 8601, UTC' });
export const TimeOrNull = Type.Union([Time, Type.Null()]);
export const Text = Type.String({ maxLength: 254 });
export const Done = Type.Object({ status: Type.String() });
export const Ended = Type.Object({
  status: Type.String(),
  channels_ended: Type.Integer({ description: 'Channels that ended with it' }),
});

interface Paged {
  readonly page: number;
  readonly per_page: number;
}

export const infoOf = ({ page, per_page }: Paged, count: number, hasMore: boolean) => ({
  page,
  per_page,
  count,
  more_records: hasMore,
});

export const isoTime = (at: number): string => new Date(at).toISOString();
export const isoOrNull = (at: number | undefined): string | null => (at === undefined ? null : isoTime(at));
