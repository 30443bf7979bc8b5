/** Where the API's pages and its live behaviour part ways: which of the two is served (docs/compatibility.md). */
export interface Compat {
  /** When entries fail: the documented 400 and 202/207, or the 202 seen live on v2 … v7. */
  readonly failedStatus: 'documented' | 'observed';
  /** Answers `INVALID_DATA` to an expiry in the past or beyond the maximum, instead of the default hour. */
  readonly strictExpiry: boolean;
  /** Whether the first key of `query_params` keeps the URL's `?`. */
  readonly queryParams: 'documented' | 'clean';
  /** Version in the `resource_uri` of notifications: always v2, or the channel's own. */
  readonly callbackUriVersion: 'v2' | 'own';
  /** What becomes of what an expired channel owed, when its owner opens it again: it flows on, or is cancelled. */
  readonly afterExpiry: 'hold' | 'drop';
  /** PATCH keeps what it does not name, as documented; or loses the token, as seen live (reference §3.4). */
  readonly patch: 'merge' | 'observed';
}

export const DEFAULT_COMPAT: Compat = {
  failedStatus: 'documented',
  strictExpiry: false,
  queryParams: 'documented',
  callbackUriVersion: 'v2',
  afterExpiry: 'hold',
  patch: 'merge',
};
