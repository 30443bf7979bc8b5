import type { Scenario } from '../scenario.ts';
import { backlog } from './backlog.ts';
import { conditions } from './conditions.ts';
import { fanOut } from './fan-out.ts';
import { growth } from './growth.ts';
import { halfDead } from './half-dead.ts';
import { httpWrites } from './http-writes.ts';
import { hundredChannels } from './hundred-channels.ts';
import { idleChannels } from './idle-channels.ts';
import { nodes } from './nodes.ts';
import { oneChannel } from './one-channel.ts';
import { owed } from './owed.ts';
import { steady } from './steady.ts';
import { thousandOrigins } from './thousand-origins.ts';

/** In the order in which all are run. */
export const SCENARIOS: readonly Scenario[] = [
  oneChannel,
  hundredChannels,
  fanOut,
  thousandOrigins,
  steady,
  conditions,
  httpWrites,
  halfDead,
  backlog,
  owed,
  idleChannels,
  growth,
  nodes,
];
