import assert from 'node:assert/strict';

export const title = 'in the end';

export const cases = {
  async 'everything owed came, numbered without a gap, and nothing else did'({
    arrived,
    numberOf,
    unclaimed,
    create,
    notified,
  }) {
    await notified('Leads', 'insert', await create('Leads', { Last_Name: 'Last', Company: 'Of all' }));
    const numbers = arrived
      .filter(({ token }) => token === 'everything')
      .map(numberOf)
      .toSorted((a, b) => a - b);
    assert.deepEqual(
      numbers,
      numbers.map((_number, index) => index + 1),
    );
    assert.deepEqual(unclaimed(), []);
  },
};
