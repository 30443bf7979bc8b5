import { afterEach, expect, test } from 'vitest';
import { createResolve } from '../../src/delivery/resolve.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Stage, setStage } from './stage.ts';

const opened: { stage?: Stage; receivers: Receiver[]; dns?: DnsServer } = { receivers: [] };
afterEach(async () => {
  await opened.stage?.close();
  for (const receiver of opened.receivers.splice(0)) await receiver.close();
  await opened.dns?.close();
  delete opened.stage;
  delete opened.dns;
});

async function listen(): Promise<Receiver> {
  const receiver = await startReceiver();
  opened.receivers.push(receiver);
  return receiver;
}

const told = ({ received }: Receiver) =>
  received.map(({ headers }) => `${headers['watchbell-sequence']}/${headers['watchbell-attempt']}`);

test.each(['unknown', 'failure', 'silence'] as const)(
  'while DNS answers a name with %s, its notifications are tried again in order, others are sent, and then all come',
  async (fault) => {
    let says: readonly string[] | typeof fault = fault;
    const dns = await startDnsServer((name) => (name === 'receiver.example' ? says : 'unknown'));
    opened.dns = dns;
    const system = () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }));
    const resolve = createResolve({ isOwn: () => false, servers: [dns.address], system });
    const stage = await setStage({ resolve, policy: { connectTimeout: 300, deadline: 2000 } });
    opened.stage = stage;
    const [named, well] = [await listen(), await listen()];
    const { port } = new URL(named.origin);
    const channel = await stage.open('1', `http://receiver.example:${port}/`);
    await stage.open('2', well.origin);
    await stage.change(1);
    await stage.change(1);
    await stage.delivery.idle();
    expect(told(named)).toEqual([]);
    expect(told(well)).toEqual(['1/1', '2/1']);
    expect(await stage.pending(channel)).toEqual([1, 2]);
    const failed = stage.log.filter(({ message }) => message === 'notification not delivered');
    expect(failed.map(({ fields }) => [fields.number, fields.attempt, fields.outcome])).toEqual([
      [1, 1, 'unreachable'],
    ]);
    // What never answers is told from what says that there is no such name.
    if (fault !== 'silence') expect(failed[0]?.fields.reason).toBe('dns');

    says = ['127.0.0.1'];
    stage.clock.advance(4999);
    await stage.delivery.idle();
    expect(told(named)).toEqual([]);
    stage.clock.advance(1);
    await named.first(2);
    await stage.delivery.idle();
    expect(told(named)).toEqual(['1/2', '2/1']);
    expect(await stage.pending(channel)).toEqual([]);
  },
);
