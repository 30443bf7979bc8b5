import type { Credentials } from '@watchbell/client';

interface FirstMinuteStep {
  readonly title: string;
  /** One line of bash that works as it stands, after those before it. */
  readonly line: string;
}

const CHANNEL = '1000000068001';

/** From nothing to a first notification with curl alone. */
function firstMinute(credentials: Credentials): readonly FirstMinuteStep[] {
  const { base, client_id, client_secret, refresh_token, admin_token } = credentials;
  const signedIn = '-H "Authorization: Zoho-oauthtoken $TOKEN"';
  const watch = {
    watch: [
      { channel_id: CHANNEL, events: ['Contacts.all'], notify_url: `${base}/_watchbell/inbox/demo`, token: 'demo' },
    ],
  };
  const contact = { data: [{ First_Name: 'Ada', Last_Name: 'Lovelace', Email: 'ada@example.com' }] };
  return [
    {
      title: 'Get an access token',
      line: `TOKEN=$(curl -sS ${base}/oauth/v2/token -d grant_type=refresh_token -d client_id=${client_id} -d client_secret=${client_secret} -d refresh_token=${refresh_token} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    },
    {
      title: 'Open a channel: every change of a contact is sent to the inbox',
      line: `curl -sS -X POST ${base}/crm/v8/actions/watch ${signedIn} -d '${JSON.stringify(watch)}'; echo`,
    },
    {
      title: 'Create a contact',
      line: `curl -sS -X POST ${base}/crm/v8/Contacts ${signedIn} -d '${JSON.stringify(contact)}'; echo`,
    },
    {
      title: 'See its notification',
      line: `curl -sS "${base}/_watchbell/v1/inbox/demo?wait=10" -H "Authorization: Bearer ${admin_token}"; echo`,
    },
  ];
}

/** What `watchbell dev` prints and the README shows: pasteable text, a comment and a line for each step. */
export function firstMinuteText(credentials: Credentials): string {
  return firstMinute(credentials)
    .map(({ title, line }) => `# ${title}\n${line}`)
    .join('\n');
}
