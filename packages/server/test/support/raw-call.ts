export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** As sent: key order and escapes count. */
  readonly text: string;
}

/** One request with exactly these headers and this body. */
export async function rawCall(
  url: string,
  init: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string | FormData } = {},
): Promise<RawAnswer> {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}
