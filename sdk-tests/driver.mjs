// Runs cases of the topics with one official SDK, in a process of its own: the SDKs keep their state in globals.
// Speaks to suite.ts: first comes the session, then one message for each case to run.
import { once } from 'node:events';

// The SDKs leave promises of their own unhandled.
process.on('unhandledRejection', () => undefined);

const describe = (error) =>
  error.stack?.includes(error.message) ? error.stack : JSON.stringify(error, Object.getOwnPropertyNames(error), 1);

/** Answers the suite with how many notifications were compared so far, or with what went wrong. */
async function answer(work) {
  try {
    await work();
    process.send({ compared: crm.compared() });
  } catch (error) {
    process.send({ problem: describe(error) });
  }
}

let crm;
const [session] = await once(process, 'message');
process.on('message', ({ topic, title }) =>
  answer(async () => {
    const { cases } = await import(new URL(topic, import.meta.url).href);
    await cases[title](crm);
  }),
);
await answer(async () => {
  const { connect } = await import(new URL(session.connect, import.meta.url).href);
  crm = await connect(session);
});
