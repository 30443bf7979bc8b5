import type { Scenario } from '../scenario.ts';
import { backlog } from './backlog.ts';
import { httpWrites } from './http-writes.ts';
import { idleChannels } from './idle-channels.ts';
import { oneChannel } from './one-channel.ts';
import { owed } from './owed.ts';

/** In the order in which all are run. */
export const SCENARIOS: readonly Scenario[] = [oneChannel, httpWrites, backlog, owed, idleChannels];
