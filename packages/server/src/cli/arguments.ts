import type { EventName } from '@watchbell/client';
import { InvalidArgumentError } from 'commander';
import type { Assignment, TriggerOperation } from './trigger.ts';

const EVENT = /^([A-Za-z]\w*)\.(create|edit|delete|all)$/;

/** Reads one of `listen`'s event types, after those before it. */
export function eventName(text: string, before: readonly EventName[] = []): readonly EventName[] {
  if (!isEventName(text)) {
    throw new InvalidArgumentError('An event type is Module.create, Module.edit, Module.delete or Module.all.');
  }
  return [...before, text];
}

const isEventName = (text: string): text is EventName => EVENT.test(text);

/** Reads what `trigger` shall do: a module and one operation. */
export function change(text: string): { readonly module: string; readonly operation: TriggerOperation } {
  const [, module, operation] = EVENT.exec(text) ?? [];
  if (module && (operation === 'create' || operation === 'edit' || operation === 'delete'))
    return { module, operation };
  throw new InvalidArgumentError('A change is Module.create, Module.edit or Module.delete.');
}

/** Reads one `--set Field=Value`; the value may hold further equals signs. */
export function assignment(text: string, before: readonly Assignment[]): readonly Assignment[] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Give it as Field=Value.');
  return [...before, { field: text.slice(0, at), value: text.slice(at + 1) }];
}

export function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidArgumentError('It must be an http or https URL.');
}

export function recordId(text: string): string {
  if (/^\d{1,19}$/.test(text)) return text;
  throw new InvalidArgumentError('An id has digits only.');
}

/** A parser of whole numbers in a range. */
export const integerFrom =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };

/** Reads one `--secret`, after those before it. */
export function signingSecret(text: string, before: readonly string[] = []): readonly string[] {
  const bytes = Buffer.from(/^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '', 'base64').length;
  if (bytes >= 24 && bytes <= 64) return [...before, text];
  throw new InvalidArgumentError('A signing secret is whsec_ and the base64 of 24 to 64 bytes.');
}
