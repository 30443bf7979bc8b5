import shared from './vitest.config.ts';

// The official SDKs; `npm run test:sdk` installs them first.
export default { ...shared, test: { ...shared.test, include: ['sdk-tests/*.test.ts'] } };
