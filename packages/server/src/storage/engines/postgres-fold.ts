import { keyValue } from '../../domain/record.ts';
import type { Query } from './postgres-sql.ts';

// What lower() does depends on the server's version, its libraries and the database's locale, and never agrees with
// JavaScript on all characters: so the server gets a function that is told what JavaScript does.

/** To be raised with every change of what the function is made of. */
const VERSION = 1;

/** Of this JavaScript's Unicode, so that nodes with different ones do not take each other's. */
export const FOLD = `watchbell_fold_${VERSION}_${(process.versions.unicode ?? '0').replaceAll('.', '_')}`;

export const HAS_FOLD: Query = { text: `SELECT to_regprocedure('${FOLD}(text)') IS NOT NULL AS has_fold`, values: [] };

const LAST_CODE_POINT = 0x10ffff;
const isSurrogate = (point: number): boolean => point >= 0xd800 && point <= 0xdfff;

/** Makes the function that does what `keyValue` does. Letters are looked for first: most texts have none to be changed. */
export function createFold(): string {
  const blanks: string[] = [];
  const blocks = new Map<number, [string, string][]>();
  const longer: [string, string][] = [];
  for (let point = 0x80; point <= LAST_CODE_POINT; point += 1) {
    if (isSurrogate(point)) continue;
    const letter = String.fromCodePoint(point);
    const folded = keyValue(letter);
    if (folded === letter) continue;
    if (folded === '') blanks.push(letter);
    else if ([...folded].length > 1) longer.push([letter, folded]);
    else blocks.set(point >> 8, [...(blocks.get(point >> 8) ?? []), [letter, folded]]);
  }
  const letters = [...blocks.values(), longer].flat().map(([letter]) => letter);
  return `
    CREATE OR REPLACE FUNCTION ${FOLD}(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $fold$
    BEGIN
      value := lower(btrim(value, E' \\t\\n\\x0b\\f\\r${blanks.join('')}') COLLATE "C");
      IF octet_length(value) = length(value) OR value !~ '[${letters.join('')}]' THEN
        RETURN value;
      END IF;
      ${longer.map(([letter, folded]) => `value := replace(value, '${letter}', '${folded}');`).join('\n')}
      ${[...blocks.values()].map(translation).join('\n')}
      RETURN value;
    END $fold$`;
}

function translation(pairs: readonly (readonly [string, string])[]): string {
  const from = pairs.map(([letter]) => letter).join('');
  const to = pairs.map(([, folded]) => folded).join('');
  return `IF value ~ '[${from}]' THEN value := translate(value, '${from}', '${to}'); END IF;`;
}
