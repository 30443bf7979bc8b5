/** How much may be issued; each number is counted in the store, so it holds over restarts. */
export interface OAuthLimits {
  /** The time over which grants and access tokens are counted. */
  readonly windowMs: number;
  /** Grant codes for one client within the window. */
  readonly grants: number;
  /** Access tokens from one refresh token, or for one client without a person, within the window. */
  readonly accessTokens: number;
  /** Access tokens of one refresh token, or client, that live at once; one more ends the oldest. */
  readonly liveAccessTokens: number;
  /** Refresh tokens of one user; one more ends the oldest. */
  readonly refreshTokens: number;
  /** Wrong sign-in keys from one address within the window. */
  readonly wrongKeys: number;
}

export interface OAuthPolicy {
  readonly grantLifeMs: number;
  readonly accessLifeMs: number;
  /** Absent: nothing is limited. */
  readonly limits?: OAuthLimits;
  /** Whether codes may be sent to any `http` address on this machine, beside those that a client has registered. */
  readonly allowsLoopback: boolean;
}

/** Lives and numbers of reference §6.3; wrong keys are ours. */
export const DEFAULT_OAUTH_POLICY: OAuthPolicy = {
  grantLifeMs: 180_000,
  accessLifeMs: 3_600_000,
  limits: {
    windowMs: 600_000,
    grants: 10,
    accessTokens: 10,
    liveAccessTokens: 15,
    refreshTokens: 20,
    wrongKeys: 10,
  },
  allowsLoopback: false,
};

/** For trying things out on one's own machine, over and over. */
export const DEV_OAUTH_POLICY: OAuthPolicy = {
  grantLifeMs: DEFAULT_OAUTH_POLICY.grantLifeMs,
  accessLifeMs: DEFAULT_OAUTH_POLICY.accessLifeMs,
  allowsLoopback: true,
};
