import type { JsonObject } from './json.ts';

const CONTROL = /[^ -\uffff]/;

/** What `JSON.stringify` makes of it, in a third of the time where texts are long and nothing in them has to be escaped. */
export function objectText(object: JsonObject): string {
  let text = '';
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === undefined) continue;
    const written = typeof value === 'string' ? quoted(value) : JSON.stringify(value);
    text += `${text === '' ? '{' : ','}${quoted(name)}:${written}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

function quoted(text: string): string {
  const isPlain = !text.includes('"') && !text.includes('\\') && !CONTROL.test(text) && text.isWellFormed();
  return isPlain ? `"${text}"` : JSON.stringify(text);
}
