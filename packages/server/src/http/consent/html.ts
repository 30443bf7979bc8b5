/** Markup that may be put into a page as it is. */
export interface Html {
  readonly markup: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A page, or a part of one. Every text put into it is escaped, for content and for quoted attributes alike. */
export function html(texts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  const parts = values.map((value, i) => `${texts[i] ?? ''}${render(value)}`);
  return { markup: `${parts.join('')}${texts.at(-1) ?? ''}` };
}

export const NOTHING: Html = { markup: '' };

function render(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('');
}
