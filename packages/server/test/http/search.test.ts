import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecords, type RecordsFixture } from './records-fixture.ts';

let fixture: RecordsFixture;
beforeAll(async () => {
  fixture = await openRecords();
});
afterAll(() => fixture.http.close());

const search = (module: string, params: Record<string, string>) =>
  fixture.send('GET', `v8/${module}/search?${new URLSearchParams(params)}`);

async function create(module: string, ...data: readonly object[]): Promise<string[]> {
  const { body } = await fixture.send('POST', `v8/${module}`, { data });
  return body.data.map((entry: { code: string; details: { id: string } }) => {
    expect(entry).toMatchObject({ code: 'SUCCESS' });
    return entry.details.id;
  });
}

describe('a search', () => {
  it('answers the records that match as a list does, newest first', async () => {
    const [first, second] = await create(
      'Contacts',
      { First_Name: 'Ann', Last_Name: 'Sought', Email: 'ann@sought.example' },
      { Last_Name: 'sought', Email: 'two@sought.example' },
      { Last_Name: 'Else' },
    );
    const { status, body } = await search('Contacts', { criteria: '(Last_Name:equals:SOUGHT)', fields: 'Last_Name' });
    expect(status).toBe(200);
    expect(body).toEqual({
      data: [
        { id: second, Last_Name: 'sought' },
        { id: first, Last_Name: 'Sought' },
      ],
      info: { per_page: 200, count: 2, page: 1, more_records: false },
    });
  });
});
