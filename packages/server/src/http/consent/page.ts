import { createHash } from 'node:crypto';
import { redirectOrigin } from '../../domain/oauth/redirect-uri.ts';
import { fullName } from '../../domain/org.ts';
import type { ConsentFault, ConsentQuestion } from '../../services/oauth/consent.ts';
import { type Html, html, NOTHING } from './html.ts';
import { scopeInWords } from './words.ts';

export interface Page {
  readonly text: string;
  readonly policy: string;
}

const STYLE = `:root{color-scheme:light dark;font:1rem/1.5 system-ui,sans-serif}
body{max-width:34rem;margin:3rem auto;padding:0 1rem}
h1{font-size:1.4rem}
code{overflow-wrap:anywhere}
.note,.fault{border-left:.25rem solid;padding:.25rem .75rem}
label,input,button{font:inherit}
input{display:block;width:100%;box-sizing:border-box;padding:.5rem;margin:.25rem 0 1rem}
button{padding:.5rem 1.5rem;margin-right:.5rem}`;
const STYLE_HASH = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/**
 * Nothing but the page itself and its style. `form-action` holds also where the answer of the form sends the browser on,
 * for browsers look at that, too.
 */
const policyOf = (formAction: string): string =>
  `default-src 'none'; style-src ${STYLE_HASH}; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`;

/** The question itself. `alert`: what was wrong with the last answer. */
export function questionPage(question: ConsentQuestion, csrf: string, alert?: string): Page {
  const { clientName, orgName, redirectUri, scopes, isOffline, signedIn } = question;
  const body = html`
<h1>Allow “${clientName}” to use ${orgName}?</h1>
${alert === undefined ? NOTHING : html`<p class="fault" role="alert">${alert}</p>`}
<p>It asks for this:</p>
<ul>${scopes.map((scope) => html`<li>${scopeInWords(scope)} <small><code>${scope}</code></small></li>`)}</ul>
<p>${isOffline ? 'It can go on after you leave, until this is revoked.' : 'It can do so for one hour.'}
Either answer takes you back to <code>${redirectOrigin(redirectUri)}</code>.</p>
<form method="post">
<input type="hidden" name="csrf" value="${csrf}">
${signedIn ? html`<p class="note">${signedInNote(signedIn)}</p>` : KEY_FIELD}
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny" formnovalidate>Deny</button>
</form>`;
  return page(`Allow ${clientName}?`, body, policyOf(`'self' ${redirectOrigin(redirectUri)}`));
}

const signedInNote = (user: NonNullable<ConsentQuestion['signedIn']>): string =>
  `This is the dev profile: you are signed in as its sample user, ${fullName(user)} (${user.email}).`;

const KEY_FIELD = html`<label for="key">Your sign-in key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required aria-describedby="key-help">
<p id="key-help"><small>Who runs this server has given it to you. It says who you are and is not passed on.</small></p>`;

const FAULTS: Readonly<Record<ConsentFault, string>> = {
  client: 'The application that sent you here is not known: its client_id is missing or wrong.',
  'redirect-uri':
    'The application asked to send you on to an address that it has not registered: its redirect_uri is missing or wrong.',
  state: 'The application sent a state that is too long.',
  suspended: 'The organization of this application is suspended.',
};

/** What went wrong before anybody could be sent back. */
export const faultPage = (fault: ConsentFault): Page => messagePage(FAULTS[fault]);

export const messagePage = (message: string): Page =>
  page(
    'This request cannot be answered',
    html`
<h1>This request cannot be answered</h1>
<p class="fault" role="alert">${message}</p>
<p>Nothing was allowed. Go back to the application, or tell who made it.</p>`,
    policyOf("'none'"),
  );

function page(title: string, body: Html, policy: string): Page {
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<main>${body}
</main>
</body>
</html>
`;
  return { text: markup, policy };
}
