import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const conditions = ['source', ...defaultServerConditions];
const SERVER = 'packages/server/test';

/** On PostgreSQL, too: what talks to whole servers, and what depends most on how a store answers. */
const BOTH_ENGINES = [
  'e2e/**/*',
  'model/model',
  'explain/explain',
  'fuzz/fuzz',
  'cli/{admin,clock}',
  'http/{admin,channel-control,signing}',
  'services/{administration,notifications.property,search.property,writer}',
  'delivery/{delivery,random,suspension}',
  'support/test-data',
].map((files) => `${SERVER}/${files}.test.ts`);

/** About the files and threads of the embedded store. */
const EMBEDDED_ALONE = [`${SERVER}/e2e/{disk,lost-thread,restore,torn-log}.test.ts`];

/** About PostgreSQL. */
const POSTGRES_ALONE = [
  `${SERVER}/storage/postgres*.test.ts`,
  `${SERVER}/support/postgres/*.test.ts`,
  `${SERVER}/delivery/nodes*.test.ts`,
  `${SERVER}/nodes/*.test.ts`,
  `${SERVER}/failover/*.test.ts`,
  `${SERVER}/cluster/*.test.ts`,
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    provide: { engine: 'sqlite' },
    setupFiles: './packages/server/test/support/oas/setup.ts',
    // The storage thread and child processes run what was built.
    globalSetup: './scripts/build-first.ts',
    reporters: ['default', './scripts/summary-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: 'forks',
    projects: [
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: POSTGRES_ALONE,
        },
      },
      {
        extends: true,
        test: {
          name: 'postgres',
          provide: { engine: 'postgres' },
          include: [...POSTGRES_ALONE, ...BOTH_ENGINES],
          exclude: EMBEDDED_ALONE,
          globalSetup: `./${SERVER}/support/postgres/global-setup.ts`,
        },
      },
    ],
  },
});
