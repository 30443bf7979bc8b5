/** When a channel whose receiver fails is suspended. */
export interface SuspensionPolicy {
  /** Its failures began at least so long ago (ms), and none of its attempts succeeded since. */
  readonly after: number;
  readonly minAttempts: number;
  /** Different notifications among them, so that one that its receiver cannot digest stops nothing. */
  readonly minNotifications: number;
  /** 410 suspends at once. */
  readonly onGone: boolean;
}

/** How a channel has failed since its last success; a channel whose last attempt succeeded has none. */
export interface ChannelHealth {
  /** Start of the first attempt that failed, epoch ms of the injected clock. */
  readonly failingSince: number;
  readonly failedAttempts: number;
  readonly lastFailedAt: number;
  /** Numbers of the first few different notifications that failed; more are not told apart. */
  readonly failedNumbers: readonly number[];
}

/** How many notifications that failed are told apart. */
const MAX_NUMBERS = 10;

/** Counts a failed attempt of any kind. */
export function afterFailure(health: ChannelHealth | undefined, at: number, number: number): ChannelHealth {
  if (!health) return { failingSince: at, failedAttempts: 1, lastFailedAt: at, failedNumbers: [number] };
  const { failedNumbers } = health;
  const isNew = failedNumbers.length < MAX_NUMBERS && !failedNumbers.includes(number);
  return {
    failingSince: health.failingSince,
    failedAttempts: health.failedAttempts + 1,
    lastFailedAt: at,
    failedNumbers: isNew ? [...failedNumbers, number] : failedNumbers,
  };
}

/** Whether it has failed for so long that attempts are to stop. Without a policy they never do. */
export const isFailingLong = (health: ChannelHealth, now: number, policy: SuspensionPolicy | undefined): boolean =>
  policy !== undefined &&
  now - health.failingSince >= policy.after &&
  health.failedAttempts >= policy.minAttempts &&
  health.failedNumbers.length >= policy.minNotifications;
