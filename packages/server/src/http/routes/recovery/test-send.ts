import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import type { Outcome } from '../../../domain/attempt.ts';
import type { ChannelTest } from '../../../services/channel-tests.ts';
import type { Surface } from '../../surface.ts';
import { noteActsOn } from '../admin/act.ts';
import { isoTime, Time } from '../admin/shapes.ts';
import { originAndPath } from './channel-shapes.ts';
import type { RecoveryParts } from './recovery.ts';

const TextOrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });
const CountOrNull = (description: string) => Type.Union([Type.Integer(), Type.Null()], { description });
const TestShape = Type.Object({
  id: Type.String({ description: 'As in webhook-id; it begins with test_' }),
  outcome: Type.Enum(['delivered', 'rejected', 'unreachable', 'forbidden'], {
    description: 'rejected: its receiver answered no 2xx; forbidden: it must not be connected to',
  }),
  status: CountOrNull('That was answered; null: there was no answer'),
  reason: TextOrNull('Of unreachable: dns, connect, tls, timeout, reset or protocol; of forbidden: of the address'),
  message: TextOrNull('Of unreachable'),
  excerpt: TextOrNull('Of the body of a rejection'),
  receiver: Type.String({ description: 'Origin and path of the notify URL' }),
  address: TextOrNull('IP address and port that it was sent to, or must not be'),
  at: Time,
  sent_ms: CountOrNull('From the start until it was written to a connection'),
  answered_ms: CountOrNull('From the start until the status line and the headers had come'),
  duration_ms: Type.Integer(),
});

/** Sends one notification that is none, to find out whether a receiver is there and takes it. */
export function channelTestRoutes(app: FastifyInstance, surface: Surface, parts: RecoveryParts): void {
  const { administration, channelTests, logger } = parts;
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  const note = noteActsOn(surface, logger);

  typed.post(
    `${surface.channelPath}/test`,
    {
      ...surface.changes,
      schema: {
        summary: 'Send a test notification now, about no record and without a number, and say what came of it',
        description:
          'To a live or suspended channel; marked with the header watchbell-test. Ten a minute for a channel.',
        tags: ['channels'],
        params: surface.ChannelParams,
        response: { 200: TestShape },
      },
    },
    async (request) => {
      const { org } = surface.sightOf(request);
      const generation = await surface.generationOf(request);
      await administration.requireKept(org);
      const test = await channelTests.send(org, generation);
      note(request, 'send test notification', { org, generation, id: test.id, outcome: test.outcome.kind });
      return render(test);
    },
  );
}

const render = ({ id, at, durationMs, outcome, address, sentMs, answeredMs, channel }: ChannelTest) => ({
  id,
  ...renderOutcome(outcome, address),
  receiver: originAndPath(channel.notifyUrl),
  at: isoTime(at),
  sent_ms: sentMs ?? null,
  answered_ms: answeredMs ?? null,
  duration_ms: durationMs,
});

function renderOutcome(outcome: Outcome, address: string | undefined) {
  const none = { status: null, reason: null, message: null, excerpt: null, address: address ?? null };
  switch (outcome.kind) {
    case 'delivered':
      return { ...none, outcome: outcome.kind, status: outcome.status };
    case 'rejected':
      return { ...none, outcome: outcome.kind, status: outcome.status, excerpt: outcome.excerpt ?? null };
    case 'unreachable':
      return { ...none, outcome: outcome.kind, reason: outcome.reason, message: outcome.message };
    case 'forbidden':
      return { ...none, outcome: outcome.kind, reason: outcome.reason, address: outcome.address };
  }
}
