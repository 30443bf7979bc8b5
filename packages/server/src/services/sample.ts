import type { Json, JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/org.ts';
import type { Records } from './records.ts';

interface SampleAccount {
  readonly name: string;
  readonly industry: string;
  readonly site: string;
  readonly people: readonly (readonly [first: string, last: string, title: string])[];
}

const ACCOUNTS: readonly SampleAccount[] = [
  {
    name: 'Larkfield Instruments',
    industry: 'Manufacturing',
    site: 'larkfield.example.com',
    people: [
      ['Mara', 'Ostrander', 'Head of Purchasing'],
      ['Tobias', 'Quint', 'Plant Manager'],
    ],
  },
  {
    name: 'Harbour & Finch',
    industry: 'Consulting',
    site: 'harbourfinch.example.com',
    people: [
      ['Ines', 'Cardoso', 'Managing Partner'],
      ['Ruben', 'Halloway', 'Analyst'],
    ],
  },
  {
    name: 'Pinewood Broadband',
    industry: 'Communications',
    site: 'pinewood.example.com',
    people: [
      ['Sanjay', 'Verma', 'Network Director'],
      ['Clara', 'Nyström', 'Field Engineer'],
    ],
  },
  {
    name: 'Saltmarsh Foods',
    industry: 'Service Provider',
    site: 'saltmarsh.example.com',
    people: [
      ['Devon', 'Achterberg', 'Buyer'],
      ['Yuki', 'Tanabe', 'Quality Lead'],
    ],
  },
  {
    name: 'Copperline Energy',
    industry: 'Large Enterprise',
    site: 'copperline.example.com',
    people: [
      ['Noor', 'Haddad', 'Operations Manager'],
      ['Felix', 'Brandt', 'Controller'],
    ],
  },
];

const LEADS = [
  ['Greta', 'Lindqvist', 'Lindqvist Ceramics', 'Web Download'],
  ['Omar', 'Benali', 'Atlas Courier', 'Trade Show'],
  ['Priya', 'Raman', 'Raman Dental Group', 'Employee Referral'],
  ['Hugh', 'Pemberton', 'Pemberton Estates', 'Cold Call'],
  ['Lucia', 'Ferrero', 'Ferrero Travel', 'Advertisement'],
  ['Jonas', 'Weber', 'Weber Bikes', 'Partner'],
] as const;

const DEALS = [
  ['Calibration benches', 0, 18_500, 'Qualification'],
  ['Yearly audit', 1, 42_000, 'Needs Analysis'],
  ['Fibre roll-out, phase 2', 2, 260_000, 'Proposal/Price Quote'],
  ['Autumn shelf programme', 3, 31_250, 'Negotiation/Review'],
  ['Meter replacement', 4, 97_000, 'Value Proposition'],
  ['Spare parts contract', 0, 7800, 'Closed Won'],
] as const;

/** Changes that the sample is made by. Nobody else can write before them. */
export const SAMPLE_CHANGES = 4;

/**
 * Fills an empty organisation with a few invented accounts, contacts, leads and deals to try things with. Where a start was
 * cut short on the way, it goes on: what is there already is not made again.
 */
export async function seedSample(records: Pick<Records, 'create'>, principal: Principal): Promise<void> {
  const accountIds = await create(
    records,
    principal,
    'Accounts',
    ACCOUNTS.map(({ name, industry, site }) => ({
      Account_Name: name,
      Industry: industry,
      Website: `https://${site}`,
    })),
  );
  const contactIds = await create(
    records,
    principal,
    'Contacts',
    ACCOUNTS.flatMap(({ site, people }, i) =>
      people.map(([first, last, title]) => ({
        First_Name: first,
        Last_Name: last,
        Title: title,
        Email: `${first}@${site}`.toLowerCase(),
        ...lookup('Account_Name', accountIds[i]),
      })),
    ),
  );
  await create(
    records,
    principal,
    'Leads',
    LEADS.map(([first, last, company, source]) => ({
      First_Name: first,
      Last_Name: last,
      Company: company,
      Email: `${first}.${last}@example.com`.toLowerCase(),
      Lead_Source: source,
    })),
  );
  await create(
    records,
    principal,
    'Deals',
    DEALS.map(([name, account, amount, stage]) => ({
      Deal_Name: name,
      Amount: amount,
      Stage: stage,
      ...lookup('Account_Name', accountIds[account]),
      ...lookup('Contact_Name', contactIds[account * 2]),
    })),
  );
}

const lookup = (field: string, id: string | undefined): JsonObject => (id === undefined ? {} : { [field]: { id } });

/** Ids in the order given; a refused sample record is a mistake in this file. */
async function create(
  records: Pick<Records, 'create'>,
  principal: Principal,
  module: string,
  items: readonly Json[],
): Promise<string[]> {
  const idempotency = { key: `sample ${module}`, fingerprint: 'sample' };
  const { results } = await records.create({ ...principal, idempotency }, module, items);
  return results.map((result) => {
    if (!result.ok) throw new Error(`Sample ${module}: ${JSON.stringify(result.refusal.details)}`);
    return result.value.record.id;
  });
}
