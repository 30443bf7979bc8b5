import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { MAX_RECORDS_PER_CHANGE, type Operation } from '../../domain/change.ts';
import { type ExternalChange, MAX_CHANGES, MAX_RECORDS, type TakenChange } from '../../domain/external-change.ts';
import type { Idempotency } from '../../domain/idempotency.ts';
import type { OrgId, UserId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Principal } from '../../domain/org.ts';
import type { ScopeNeed, ScopeOperation } from '../../domain/scope.ts';
import type { ApiVersion } from '../../domain/wire/api-version.ts';
import type { Auth } from '../../services/auth.ts';
import type { Intake } from '../../services/intake.ts';
import { readIdempotency } from '../call.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { administersOrg, readJsonBody } from './admin/access.ts';
import { closed, InOrg } from './admin/shapes.ts';

export interface IntakeRouteParts {
  readonly auth: Auth;
  readonly limiter: Pick<RateLimiter, 'signIn' | 'begin'>;
  readonly intake: Intake;
}

/** In whose words too many requests are refused. */
const LATEST: ApiVersion = 'v8';

const SCOPES: Readonly<Record<Operation, readonly ScopeOperation[]>> = {
  insert: ['CREATE', 'WRITE'],
  update: ['UPDATE', 'WRITE'],
  delete: ['DELETE'],
};
const NEED: ScopeNeed = { family: 'modules', operations: ['CREATE', 'UPDATE', 'WRITE', 'DELETE'] };

const Values = (description: string) =>
  Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: `${description}, by API names of fields` }));
const RecordShape = Type.Object(
  {
    id: Type.String({ description: 'Of your own: 1 to 64 letters, digits and _ . : -' }),
    values: Values('As they are now; of a deleted record those to be reported'),
    old_values: Values('As they were before an update or a delete'),
    fields: Type.Optional(
      Type.Array(Type.String({ maxLength: 100 }), { maxItems: 500, description: 'What an update changed' }),
    ),
  },
  closed,
);
const ChangeShape = Type.Object(
  {
    module: Type.String({ minLength: 1, maxLength: 100, description: 'API name of an external module' }),
    operation: Type.Enum(['insert', 'update', 'delete']),
    records: Type.Array(RecordShape, { minItems: 1, maxItems: MAX_RECORDS_PER_CHANGE }),
  },
  closed,
);
const Changes = Type.Array(ChangeShape, {
  minItems: 1,
  maxItems: MAX_CHANGES,
  description: `In the order in which they happened; ${MAX_RECORDS} records in all at most`,
});
const OwnersBody = Type.Object({ changes: Changes }, closed);
const OperatorsBody = Type.Object(
  {
    changes: Changes,
    by: Type.Optional(
      Type.String({ pattern: '^\\d{19}$', description: 'Id of the user who made them; nobody if absent' }),
    ),
  },
  closed,
);
const Taken = Type.Object({
  changes: Type.Array(
    Type.Object({
      number: Type.Union([Type.Integer(), Type.Null()], {
        description: 'In the change log; null when no record of it changed',
      }),
      records: Type.Integer({ description: 'Records that changed' }),
      notifications: Type.Integer({ description: 'Owed for it' }),
    }),
  ),
});
const Headers = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'Chosen by you, 1 to 255 printable characters; a repeated call is answered, not done' }),
  ),
});

const principals = new WeakMap<FastifyRequest, Principal>();
const keys = new WeakMap<FastifyRequest, Idempotency>();

/** Changes of records of external modules: by a user's access token, or by the operator's. */
export function intakeRoutes(app: FastifyInstance, { auth, limiter, intake }: IntakeRouteParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const schema = {
    summary: 'Tell of changes of records that live elsewhere: all of them are taken, or none',
    tags: ['intake'],
    headers: Headers,
    response: { 200: Taken },
  };

  typed.post(
    '/_watchbell/v1/changes',
    {
      config: { need: NEED },
      async onRequest(request, reply) {
        const { authorization } = request.headers;
        const token = authorization?.trim().split(' ').at(-1);
        const signIn = () => auth.authenticate(authorization);
        const principal = await limiter.signIn(request, token, signIn, { version: LATEST });
        reply.raw.once('close', limiter.begin(principal, LATEST));
        principals.set(request, principal);
      },
      preValidation: readKeyAndBody,
      schema: { ...schema, body: OwnersBody },
    },
    async (request) => {
      const principal = principals.get(request);
      if (!principal) throw new Error('The route has no hook that identifies the caller');
      const { changes } = request.body;
      for (const { module, operation } of changes) {
        auth.requireScope(principal, { family: 'modules', part: module, operations: SCOPES[operation] });
      }
      return shown(await intake.fromOwner({ ...principal, ...keyOf(request) }, changes.map(readChange)));
    },
  );

  typed.post(
    '/_watchbell/v1/orgs/:org/changes',
    {
      onRequest: administersOrg(auth, limiter),
      preValidation: readKeyAndBody,
      schema: { ...schema, params: InOrg, body: OperatorsBody },
    },
    async (request) => {
      const { changes, by } = request.body;
      const operator = {
        org: request.params.org as OrgId,
        ...(by !== undefined && { by: by as UserId }),
        ...keyOf(request),
      };
      return shown(await intake.fromOperator(operator, changes.map(readChange)));
    },
  );
}

/** The key goes with the body as it came. */
async function readKeyAndBody(request: FastifyRequest): Promise<void> {
  const idempotency = readIdempotency(request);
  if (idempotency) keys.set(request, idempotency);
  await readJsonBody(request);
}

function keyOf(request: FastifyRequest): { readonly idempotency?: Idempotency } {
  const idempotency = keys.get(request);
  return idempotency ? { idempotency } : {};
}

// Values came as JSON, and are held against their fields later.
const readChange = ({ module, operation, records }: Static<typeof ChangeShape>): ExternalChange => ({
  module,
  operation,
  records: records.map(({ id, values, old_values, fields }) => ({
    id,
    values: values as JsonObject | undefined,
    oldValues: old_values as JsonObject | undefined,
    fields,
  })),
});

const shown = (changes: readonly TakenChange[]): Static<typeof Taken> => ({ changes: [...changes] });
