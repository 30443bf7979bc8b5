import { isStorable } from '../../domain/json.ts';
import { redirectUriFault } from '../../domain/oauth/redirect-uri.ts';
import { isScope } from '../../domain/scope.ts';
import { badField } from '../account-input.ts';

const MAX_NAME = 100;
const MAX_REDIRECT_URIS = 20;
const MAX_SCOPES = 50;

// Checks of what the operator gives. Each throws `AppError` INVALID_DATA that names the field as our API does.

export function checkName(name: string): void {
  if (name.trim() === '' || name.length > MAX_NAME || !isStorable(name)) {
    throw badField('name', `must have 1 to ${MAX_NAME} characters`);
  }
}

export function checkRedirectUris(uris: readonly string[]): void {
  if (uris.length > MAX_REDIRECT_URIS) throw badField('redirect_uris', `must be at most ${MAX_REDIRECT_URIS}`);
  if (new Set(uris).size < uris.length) throw badField('redirect_uris', 'holds one twice');
  uris.forEach((uri, i) => {
    const fault = redirectUriFault(uri);
    if (fault !== undefined) throw badField(`redirect_uris.${i}`, fault);
  });
}

export function checkScopes(scopes: readonly string[]): void {
  if (scopes.length === 0 || scopes.length > MAX_SCOPES) throw badField('scopes', `must be 1 to ${MAX_SCOPES}`);
  scopes.forEach((scope, i) => {
    if (!isScope(scope)) throw badField(`scopes.${i}`, 'is no scope, such as ZohoCRM.modules.READ');
  });
}
