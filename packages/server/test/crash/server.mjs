// The dev server with a clock that SIGUSR2 sets forward: `ahead` at the start, and by `step` with each signal.
import { parseArgs } from 'node:util';
import { createApp } from '../../dist/app.js';
import { loadConfig } from '../../dist/config.js';
import { SETTINGS } from '../../dist/settings.js';
import { systemClock } from '../../dist/system-clock.js';

const nameOf = ({ flag }) => flag.slice(2);
const milliseconds = { type: 'string', default: '0' };
const { values } = parseArgs({
  options: {
    ahead: milliseconds,
    step: milliseconds,
    ...Object.fromEntries(Object.values(SETTINGS).map((setting) => [nameOf(setting), { type: 'string' }])),
  },
});

function movableClock() {
  const timers = new Set();
  let ahead = Number(values.ahead);
  function arm(timer) {
    timer.cancel = systemClock.at(timer.time - ahead, () => {
      timers.delete(timer);
      timer.call();
    });
  }
  return {
    now: () => systemClock.now() + ahead,
    at(time, call) {
      const timer = { time, call };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },
    advance(ms) {
      ahead += ms;
      for (const timer of timers) {
        timer.cancel();
        arm(timer);
      }
    },
  };
}

const clock = movableClock();
process.on('SIGUSR2', () => clock.advance(Number(values.step)));
const flags = Object.fromEntries(Object.entries(SETTINGS).map(([name, setting]) => [name, values[nameOf(setting)]]));
const app = await createApp(loadConfig('dev', flags, {}), { clock });
process.on('SIGTERM', () => app.stop());
const { base } = await app.start();
process.stdout.write(`${base}\n`);
