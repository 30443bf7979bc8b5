import shared from './vitest.config.ts';

// The official SDKs; `npm run test:sdk` installs them first.
const { projects: _, ...test } = shared.test ?? {};
export default { ...shared, test: { ...test, include: ['sdk-tests/*.test.ts'] } };
