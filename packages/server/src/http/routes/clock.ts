import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Auth } from '../../services/auth.ts';
import type { ClockControl, ClockView } from '../../services/clock-control.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RateLimiter } from '../rate-limit.ts';
import { administersAll, readJsonBody } from './admin/access.ts';
import { noteActs } from './admin/act.ts';
import { closed, isoOrNull, isoTime, Time } from './admin/shapes.ts';

const view = {
  now: Time,
  frozen: Type.Boolean(),
  real_now: Type.String({ description: 'Real time, by which tokens live and deadlines run' }),
  next_due: Type.Union([Time, Type.Null()], {
    description: 'When the next retry or turn of housekeeping is due; expiries need no step',
  }),
};
const View = Type.Object(view);
const Advanced = Type.Object({
  ...view,
  target: Type.String({ description: 'Where it was to go' }),
  steps: Type.Integer({ description: 'Times at which something fell due' }),
  reached: Type.Boolean({ description: 'False: it stopped before, at `now`. Ask again to go on' }),
  stopped_by: Type.Union([Type.Literal('steps'), Type.Literal('time'), Type.Literal('stop'), Type.Null()], {
    description: 'steps: there were 10,000. time: 15 seconds of real time are over. stop: the server stops',
  }),
});
const Move = Type.Object(
  {
    to: Type.Optional(Type.String({ description: 'ISO 8601, such as 2026-01-31T12:00:00Z; not before now' })),
    by: Type.Optional(Type.String({ description: 'Days, hours, minutes and seconds, such as 90s, 2h or 1d12h' })),
  },
  { ...closed, description: 'Either to or by' },
);

export interface ClockParts {
  readonly clockControl: ClockControl;
  readonly auth: Auth;
  readonly limiter: RateLimiter;
  readonly logger: Logger;
}

/** The clock of the dev profile, for the operator of all organisations, as they share it. */
export function clockRoutes(app: FastifyInstance, { clockControl, auth, limiter, logger }: ClockParts): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const onRequest = administersAll(auth, limiter);
  const note = noteActs(logger);
  const path = '/_watchbell/v1/clock';
  const tags = ['Clock (dev profile)'];

  typed.get(path, { onRequest, schema: { summary: 'Show the clock', tags, response: { 200: View } } }, async () =>
    render(clockControl.show()),
  );

  typed.post(
    `${path}/freeze`,
    { onRequest, schema: { summary: 'Stop the clock where it stands', tags, response: { 200: View } } },
    async (request) => {
      const shown = render(await clockControl.freeze());
      note(request, 'freeze clock', { now: shown.now });
      return shown;
    },
  );

  typed.post(
    `${path}/resume`,
    {
      onRequest,
      schema: { summary: 'Let the clock tick on from where it stands', tags, response: { 200: View } },
    },
    async (request) => {
      const shown = render(await clockControl.resume());
      note(request, 'resume clock', { now: shown.now });
      return shown;
    },
  );

  typed.post(
    `${path}/set`,
    {
      onRequest,
      preValidation: readJsonBody,
      schema: {
        summary: 'Set the clock forward at once: all that lies between falls due together',
        tags,
        body: Move,
        response: { 200: View },
      },
    },
    async (request) => {
      const shown = render(await clockControl.set(request.body));
      note(request, 'set clock', { now: shown.now });
      return shown;
    },
  );

  typed.post(
    `${path}/advance`,
    {
      onRequest,
      preValidation: readJsonBody,
      schema: {
        summary: 'Move the clock on in steps, from one thing that falls due to the next, and await what comes of each',
        tags,
        description:
          'After a step, all attempts that could start have ended before the next one. At most 10,000 steps, and 15 seconds of real time, in one call.',
        body: Move,
        response: { 200: Advanced },
      },
    },
    async (request) => {
      const { target, steps, stoppedBy, ...shown } = await clockControl.advance(request.body);
      note(request, 'advance clock', { now: isoTime(shown.now), steps });
      return {
        ...render(shown),
        target: isoTime(target),
        steps,
        reached: stoppedBy === undefined,
        stopped_by: stoppedBy ?? null,
      };
    },
  );

  app.addHook('preClose', async () => clockControl.close());
}

const render = ({ now, isFrozen, realNow, nextDue }: ClockView) => ({
  now: isoTime(now),
  frozen: isFrozen,
  real_now: isoTime(realNow),
  next_due: isoOrNull(nextDue),
});
