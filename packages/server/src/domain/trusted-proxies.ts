/**
 * The proxies in front of us, whose word on where a request came from is believed: how many stand in a row, or the CIDRs
 * of their addresses. None: 0.
 */
export type TrustedProxies = number | readonly string[];
