import type { Call } from './transport.ts';
import { listIn } from './transport.ts';
import type { FieldInfo } from './wire.ts';

/** Metadata. */
export interface Settings {
  fields(module: string): Promise<readonly FieldInfo[]>;
}

export function createSettings(call: Call): Settings {
  return {
    async fields(module) {
      const { body } = await call({ method: 'GET', path: '/settings/fields', query: { module } });
      return listIn<FieldInfo>(body, 'fields');
    },
  };
}
