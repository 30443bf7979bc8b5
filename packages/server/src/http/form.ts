import { Busboy } from '@fastify/busboy';
import { AppError } from '../domain/error.ts';

const MAX_FIELDS = 20;
const MAX_VALUE_BYTES = 4096;

/**
 * Form parameters of a body, by its Content-Type: multipart, or urlencoded for any other. Of a repeated one the last.
 * A malformed or oversized form is an `AppError` INVALID_DATA.
 */
export async function readForm(contentType: string | undefined, body: Buffer): Promise<ReadonlyMap<string, string>> {
  if (contentType !== undefined && /^multipart\/form-data\b/i.test(contentType))
    return readMultipart(contentType, body);
  const fields = new Map(new URLSearchParams(body.toString('utf8')));
  if (fields.size > MAX_FIELDS) throw badForm();
  return fields;
}

async function readMultipart(contentType: string, body: Buffer): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  try {
    await new Promise<void>((resolve, reject) => {
      const limits = { fields: MAX_FIELDS, fieldSize: MAX_VALUE_BYTES, files: 0 };
      const reader = new Busboy({ headers: { 'content-type': contentType }, limits });
      reader.on('field', (name, value, _isNameCut, isValueCut) => {
        if (isValueCut) reject(badForm());
        fields.set(name, value);
      });
      reader.on('fieldsLimit', () => reject(badForm()));
      reader.on('filesLimit', () => reject(badForm()));
      reader.on('error', reject);
      reader.on('finish', resolve);
      reader.end(body);
    });
  } catch (cause) {
    throw badForm(cause);
  }
  return fields;
}

const badForm = (cause?: unknown): AppError =>
  new AppError('INVALID_DATA', 'body', { expected_data_type: 'form' }, { cause });
