import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecords, type RecordsFixture } from './records-fixture.ts';

let fixture: RecordsFixture;
beforeAll(async () => {
  fixture = await openRecords();
});
afterAll(() => fixture.http.close());

type Params = Readonly<Record<string, string>>;

const search = (module: string, params: Params, version = 'v8') =>
  fixture.send('GET', `${version}/${module}/search?${new URLSearchParams(params)}`);

const criteria = (text: string): Params => ({ criteria: text });

/** Ids of what is found, newest first. */
async function idsOf(module: string, params: Params): Promise<string[]> {
  const { status, body } = await search(module, params);
  if (status === 204) return [];
  expect(status).toBe(200);
  return body.data.map(({ id }: { id: string }) => id);
}

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
    const [found] = (await search('Contacts', criteria('(Email:equals:ann@sought.example)'))).body.data;
    const [read] = (await fixture.send('GET', `v8/Contacts/${first}`)).body.data;
    expect(found).toEqual(read);
  });

  it('finds records by system fields, full names, lookups and owners', async () => {
    const [account = ''] = await create('Accounts', { Account_Name: 'Held' });
    const [id = ''] = await create('Contacts', {
      First_Name: 'Whole',
      Last_Name: 'Name',
      Account_Name: { id: account },
    });
    const [record] = (await fixture.send('GET', `v8/Contacts/${id}`)).body.data;
    for (const text of [
      `(id:equals:${id})`,
      '(Full_Name:equals:whole name)',
      `(Account_Name:equals:${account})`,
      `(Account_Name.id:in:${account})`,
      `(Owner:equals:${record.Owner.id})and(id:greater_equal:${id})`,
      `(Created_By:equals:${record.Owner.id})and(Full_Name:starts_with:Whole)`,
      `(Created_Time:equals:${record.Created_Time})and(id:between:${id},${id})`,
      `(Modified_Time:greater_equal:${record.Modified_Time})and(Last_Name:equals:Name)`,
    ]) {
      expect(await idsOf('Contacts', criteria(text)), text).toEqual([id]);
    }
  });

  it('finds an email, a phone and a word in any field that can hold it', async () => {
    const [one, two] = await create(
      'Contacts',
      { Last_Name: 'Any', Email: 'any@x.example', Mobile: '+49 (30) 12', Description: 'met in Wolkenstein' },
      { Last_Name: 'Any', Secondary_Email: 'ANY@x.example', Fax: '+49 (30) 12', Department: 'wolken' },
    );
    expect(await idsOf('Contacts', { email: 'Any@X.example' })).toEqual([two, one]);
    expect(await idsOf('Contacts', { phone: '+49 (30) 12' })).toEqual([two, one]);
    expect(await idsOf('Contacts', { word: 'WOLKEN' })).toEqual([two, one]);
    expect(await idsOf('Contacts', { word: 'olkenst' })).toEqual([one]);
    expect(await idsOf('Deals', { email: 'any@x.example' })).toEqual([]);
  });

  it('goes by criteria before email, email before phone, phone before word', async () => {
    const data = ['criteria', 'email', 'phone', 'word'].map((name) => ({ Last_Name: name, Description: 'precedence' }));
    const [byCriteria, byEmail, byPhone, byWord] = await create(
      'Contacts',
      data[0] ?? {},
      { ...data[1], Email: 'p@p.example' },
      { ...data[2], Phone: '777' },
      { ...data[3], Department: 'uniqueword' },
    );
    const word = { word: 'uniqueword' };
    const phone = { phone: '777', ...word };
    const email = { email: 'p@p.example', ...phone };
    expect(await idsOf('Contacts', { ...email, criteria: '(Last_Name:equals:criteria)' })).toEqual([byCriteria]);
    expect(await idsOf('Contacts', email)).toEqual([byEmail]);
    expect(await idsOf('Contacts', phone)).toEqual([byPhone]);
    expect(await idsOf('Contacts', word)).toEqual([byWord]);
  });

  it('is paged, and says whether there is more', async () => {
    const ids = (
      await create('Leads', ...Array.from({ length: 5 }, () => ({ Last_Name: 'Paged', Company: 'P' })))
    ).reverse();
    const page = async (number: number) => {
      const { body } = await search('Leads', {
        criteria: '(Last_Name:equals:Paged)',
        page: `${number}`,
        per_page: '2',
      });
      return body && { ids: body.data.map(({ id }: { id: string }) => id), info: body.info };
    };
    const info = (number: number, count: number, more: boolean) => ({
      per_page: 2,
      count,
      page: number,
      more_records: more,
    });
    expect(await page(1)).toEqual({ ids: ids.slice(0, 2), info: info(1, 2, true) });
    expect(await page(2)).toEqual({ ids: ids.slice(2, 4), info: info(2, 2, true) });
    expect(await page(3)).toEqual({ ids: ids.slice(4), info: info(3, 1, false) });
    expect(await page(4)).toBeUndefined();
  });

  it('finds a record under its new values only, and not at all once it is deleted', async () => {
    const [id] = await create('Contacts', { Last_Name: 'Before', Email: 'before@x.example', Phone: '1000' });
    await fixture.send('PUT', `v8/Contacts/${id}`, {
      data: [{ Last_Name: 'After', Email: 'after@x.example', Phone: null }],
    });
    expect(await idsOf('Contacts', { email: 'before@x.example' })).toEqual([]);
    expect(await idsOf('Contacts', { phone: '1000' })).toEqual([]);
    expect(await idsOf('Contacts', criteria('(Last_Name:equals:Before)'))).toEqual([]);
    expect(await idsOf('Contacts', { email: 'after@x.example' })).toEqual([id]);
    expect(await idsOf('Contacts', criteria('(Last_Name:equals:After)'))).toEqual([id]);
    await fixture.send('DELETE', `v8/Contacts/${id}`);
    expect(await idsOf('Contacts', { email: 'after@x.example' })).toEqual([]);
    expect(await idsOf('Contacts', { word: 'After' })).toEqual([]);
    expect(await idsOf('Contacts', criteria(`(id:equals:${id})`))).toEqual([]);
  });

  it('keeps text that looks like code apart from it', async () => {
    const names = ["' OR 1=1 --", "x'); DROP TABLE record; --", '%', '_', '$.Last_Name', '") OR ("" = "'];
    const ids = await create('Leads', ...names.map((Last_Name) => ({ Last_Name, Company: 'Injection' })));
    for (const [i, name] of names.entries()) {
      const escaped = name.replace(/[(),\\]/g, String.raw`\$&`);
      expect(
        await idsOf('Leads', criteria(`(Company:equals:Injection)and(Last_Name:equals:${escaped})`)),
        name,
      ).toEqual([ids[i]]);
      expect(
        await idsOf('Leads', criteria(`(Company:equals:Injection)and(Last_Name:starts_with:${escaped})`)),
        name,
      ).toEqual([ids[i]]);
    }
  });

  it("never finds another organisation's records", async () => {
    const secret = { Last_Name: 'Secret', Email: 'secret@x.example' };
    const [id] = await create('Contacts', secret);
    const stranger = await fixture.stranger();
    for (const params of [
      { email: 'secret@x.example' },
      { word: 'Secret' },
      criteria('(Last_Name:equals:Secret)'),
      criteria(`(id:equals:${id})`),
      criteria('(Last_Name:not_equal:x)'),
    ]) {
      expect(await idsOf('Contacts', params)).toContain(id);
      expect((await stranger.send('GET', `v8/Contacts/search?${new URLSearchParams(params)}`)).status).toBe(204);
    }
  });
});

describe('a search that cannot be done', () => {
  it('is refused or answered, never failed, whatever stands in it', async () => {
    const part = fc.constantFrom(
      '(',
      ')',
      'Last_Name',
      'Nothing',
      ':',
      'equals',
      'in',
      'between',
      ',',
      '\\',
      'and',
      'or',
      ' ',
    );
    const texts = fc.array(fc.oneof(part, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 20 });
    const isAnswered = fc.asyncProperty(
      fc.constantFrom('criteria', 'email', 'phone', 'word', 'page', 'per_page', 'fields'),
      texts.map((all) => all.join('')),
      async (param, text) => {
        const { status } = await search('Contacts', { word: 'x', [param]: text });
        expect([200, 204, 400]).toContain(status);
      },
    );
    await fc.assert(isAnswered, { numRuns: 500 });
  });

  it.each([
    ['v8', { param: 'criteria, email, phone, word' }],
    ['v2', { param_name: 'criteria, email, phone, word', param: 'criteria, email, phone, word' }],
  ])('in %s because it asks for nothing says what is missing', async (version, details) => {
    for (const params of [{}, { criteria: ' ' }]) {
      expect(await search('Contacts', params, version)).toEqual({
        status: 400,
        body: {
          code: 'REQUIRED_PARAM_MISSING',
          details,
          message: 'One of the expected parameter is missing',
          status: 'error',
        },
      });
    }
  });

  it('because of its criteria says where and why', async () => {
    expect(await search('Contacts', criteria('(Last_Name:equals:x)or(Amount:equals:1)'))).toEqual({
      status: 400,
      body: {
        code: 'INVALID_QUERY',
        details: {
          reason: 'the field is not there or cannot be searched',
          api_name: 'Amount',
          operator: 'equals',
          index: 23,
        },
        message: 'invalid query formed',
        status: 'error',
      },
    });
  });

  it('because it goes beyond 2000 records', async () => {
    const beyond = await search('Contacts', { word: 'x', page: '11' });
    expect(beyond).toMatchObject({
      status: 400,
      body: { code: 'LIMIT_EXCEEDED', details: { limit: 2000, param: 'page' } },
    });
    expect((await search('Contacts', { word: 'x', page: '10' })).status).not.toBe(400);
    expect(await search('Contacts', { word: 'x', per_page: '201' })).toMatchObject({ body: { code: 'INVALID_DATA' } });
  });

  it('for lack of a module, a permission, a scope or the right method', async () => {
    const limited = await fixture.colleague({ deniedModules: ['Deals'], scopes: ['ZohoCRM.modules.deals.READ'] });
    expect(await search('Nothing', { word: 'x' })).toMatchObject({ status: 400, body: { code: 'INVALID_MODULE' } });
    expect(await limited.send('GET', 'v8/Deals/search?word=x')).toMatchObject({
      status: 403,
      body: { code: 'NO_PERMISSION', details: { permissions: ['Crm_Implied_View_Deals'] } },
    });
    expect(await limited.send('GET', 'v8/Leads/search?word=x')).toMatchObject({
      status: 401,
      body: { code: 'OAUTH_SCOPE_MISMATCH' },
    });
    expect(await fixture.send('POST', 'v8/Leads/search', {})).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST_METHOD' },
    });
  });
});
