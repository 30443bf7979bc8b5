import { isObject } from '../../../src/domain/json.ts';
import { oasDocuments, type Part } from './files.ts';

/** An operation of the files. */
export interface Operation {
  /** As `GET /crm/v8/{module_api_name}/{id}`. */
  readonly name: string;
  /** By status. */
  readonly responses: Part;
}

interface Template {
  readonly file: string;
  readonly path: string;
  readonly segments: readonly string[];
}

/** What stands at the place of a module, and is none. */
const NO_MODULES = new Set(['settings', 'users', 'org', 'actions']);

let known: readonly Template[] | undefined;

/** The most specific path first. */
function templates(): readonly Template[] {
  known ??= [...oasDocuments()]
    .flatMap(([file, { paths }]) =>
      Object.keys(isObject(paths) ? paths : {}).map((path) => ({ file, path, segments: path.split('/') })),
    )
    .sort((a, b) => placeholders(a) - placeholders(b));
  return known;
}

const placeholders = ({ segments }: Template): number => segments.filter((segment) => segment.startsWith('{')).length;

/** The operation that a request asks for; undefined when the files describe none. */
export function findOperation(method: string, pathname: string): Operation | undefined {
  const asked = pathname.split('/');
  const template = templates().find(({ segments }) => matches(segments, asked));
  if (!template) return undefined;
  const { file, path } = template;
  const paths = oasDocuments().get(file)?.paths;
  const item = isObject(paths) ? paths[path] : undefined;
  const operation = isObject(item) ? item[method.toLowerCase()] : undefined;
  if (!isObject(operation) || !isObject(operation.responses)) return undefined;
  return { name: `${method} ${path}`, responses: { file, value: operation.responses } };
}

const matches = (segments: readonly string[], asked: readonly string[]): boolean =>
  segments.length === asked.length &&
  segments.every((segment, i) => {
    const text = asked[i] ?? '';
    if (segment === '{module_api_name}') return !NO_MODULES.has(text);
    return segment.startsWith('{') ? text !== '' : segment === text;
  });
