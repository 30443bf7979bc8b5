import type { DescribedAnswer, SchemaName } from './description.ts';

type Answers = Readonly<Record<number, DescribedAnswer>>;

/** Several entries, each with its own result. */
export const written = (schema: SchemaName, success: 200 | 201 = 200): Answers => ({
  [success]: { description: 'All entries succeeded', schema },
  ...(success === 201 && { 200: { description: 'All succeeded, and not all of them were created', schema } }),
  202: { description: 'Some entries failed (v2 to v7)', schema },
  207: { description: 'Some entries failed (v8)', schema },
  400: { description: 'Every entry failed; or a bare error, when the call was refused as a whole', schema },
});

export const found = (schema: SchemaName): Answers => ({
  200: { description: 'What was found', schema },
  204: { description: 'Nothing was found' },
});

export const foundSince = (schema: SchemaName): Answers => ({
  ...found(schema),
  304: { description: 'Nothing was changed after If-Modified-Since' },
});

export const shown = (schema: SchemaName, description = 'Done'): Answers => ({ 200: { description, schema } });
