/** Who may import whom (docs/architecture.md). A room is a folder of `src/`, or a file that stands alone in it. */
export interface Rule {
  /** Rooms, or single files as `room/file.ts`. */
  readonly rooms: readonly string[];
  /** Packages from npm, `node:` for the built-ins; `*` for any. */
  readonly packages: readonly string[];
}

const DOMAIN_AND_STORE = ['domain', 'storage/store.ts', 'telemetry/logger.ts', 'telemetry/metrics.ts'];

const TABLE: Readonly<Record<string, Rule>> = {
  domain: { rooms: [], packages: [] },
  telemetry: { rooms: [], packages: ['*'] },
  storage: { rooms: ['domain', 'telemetry/logger.ts', 'telemetry/metrics.ts'], packages: ['*'] },
  services: { rooms: DOMAIN_AND_STORE, packages: ['node:'] },
  delivery: { rooms: DOMAIN_AND_STORE, packages: ['*'] },
  http: { rooms: ['domain', 'services', 'telemetry/logger.ts', 'telemetry/metrics.ts'], packages: ['*'] },
  cli: { rooms: ['version.ts'], packages: ['*'] },
  'settings.ts': { rooms: [], packages: [] },
  'config.ts': {
    rooms: ['domain', 'settings.ts', 'config-database.ts', 'config-values.ts'],
    packages: ['node:'],
  },
  'config-database.ts': { rooms: ['domain', 'settings.ts'], packages: [] },
  'config-values.ts': { rooms: ['domain'], packages: ['node:'] },
  'opening.ts': { rooms: ['*'], packages: ['*'] },
  'maintenance.ts': { rooms: ['*'], packages: ['*'] },
  'version.ts': { rooms: [], packages: ['node:'] },
  'system-clock.ts': { rooms: ['domain'], packages: [] },
  'store-clock.ts': { rooms: ['domain', 'system-clock.ts'], packages: [] },
  'monotonic.ts': { rooms: [], packages: [] },
  'clocks.ts': {
    rooms: [
      'config.ts',
      'dev-clock.ts',
      'monotonic.ts',
      'store-clock.ts',
      'system-clock.ts',
      'domain',
      'storage/store.ts',
    ],
    packages: [],
  },
  'dev-clock.ts': { rooms: ['domain'], packages: [] },
  'module-file.ts': {
    rooms: ['config.ts', 'settings.ts', 'domain', 'http', 'services'],
    packages: ['node:', 'typebox'],
  },
  'app.ts': { rooms: ['*'], packages: ['*'] },
  'app-recovery.ts': { rooms: ['*'], packages: ['*'] },
  'app-life-cycle.ts': { rooms: ['*'], packages: ['*'] },
  'main.ts': { rooms: ['cli'], packages: ['node:'] },
};

/** Commands that run the server or look into its store themselves. */
const SERVER_COMMANDS = [
  'dev',
  'serve',
  'setup',
  'migrate',
  'migrate-store',
  'doctor',
  'doctor-database',
  'backup',
  'restore',
  'server-command',
  'settings',
];

/** What is wrong with importing `specifier` in `file` (a path below `src/`), or undefined. */
export function violation(file: string, specifier: string): string | undefined {
  const room = roomOf(file);
  const rule = TABLE[room];
  if (!rule) return `${file}: the room ${room} is not in the table`;
  if (!specifier.startsWith('.')) {
    const allowed = rule.packages.some((name) => name === '*' || specifier.startsWith(name));
    return allowed ? undefined : `${file} (${room}) must not import the package ${specifier}`;
  }
  const target = resolveFrom(file, specifier);
  const targetRoom = roomOf(target);
  if (targetRoom === room) return undefined;
  if (room === 'cli' && SERVER_COMMANDS.some((name) => file === `cli/${name}.ts`)) {
    if (['app.ts', 'maintenance.ts', 'config.ts', 'settings.ts'].includes(target)) return undefined;
  }
  const allowed = rule.rooms.some((name) => name === '*' || name === targetRoom || name === target);
  return allowed ? undefined : `${file} (${room}) must not import ${target}`;
}

/** Every module that a source text imports or loads. */
export function specifiers(source: string): string[] {
  const found = source.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g);
  return [...found].flatMap((match) => match[1] ?? []);
}

const roomOf = (path: string): string => path.split('/')[0] ?? path;

function resolveFrom(file: string, specifier: string): string {
  const path = file.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') path.pop();
    else if (part !== '.') path.push(part);
  }
  return path.join('/');
}
