import { shown } from './answers.ts';
import type { Descriptions } from './description.ts';

const oauth = 'OAuth';
const running = 'Running it';
const inbox = 'Inbox (dev profile)';
const html = { contentType: 'text/html' } as const;

/** What is served beside `/crm` without saying enough of itself. */
export const OPERATIONS: Descriptions = {
  'POST /oauth/v2/token': {
    summary: 'Get an access token',
    tag: oauth,
    detail: 'Parameters may also stand in the query. A refusal has status 200 and `error`.',
    form: true,
    body: {
      schema: 'TokenForm',
      example: {
        grant_type: 'refresh_token',
        client_id: '1000.DEV',
        client_secret: 'dev-secret',
        refresh_token: '1000.dev.refresh',
      },
    },
    answers: shown('Token', 'The tokens, or why there are none'),
  },
  'POST /oauth/v2/token/revoke': {
    summary: 'Revoke a token',
    tag: oauth,
    form: true,
    body: { schema: 'RevokeForm', example: { token: '1000.dev.refresh' } },
    answers: shown('Revoked', 'Whether it was one'),
  },
  'GET /oauth/v2/auth': {
    summary: 'Ask a person whether an application may act for them',
    tag: oauth,
    detail: 'A page for a browser. `client_id`, `redirect_uri`, `response_type=code`, `scope`, `state` in the query.',
    answers: {
      200: { description: 'The question', schema: 'Text', ...html },
      302: { description: 'Back to the application, without a question' },
    },
  },
  'POST /oauth/v2/auth': {
    summary: "Take a person's answer",
    tag: oauth,
    form: true,
    body: { schema: 'ConsentForm', example: { csrf: 'as the page has it', decision: 'allow' } },
    answers: {
      200: { description: 'The question once more', schema: 'Text', ...html },
      303: { description: 'Back to the application, with a code or a refusal' },
    },
  },
  'GET /healthz': { summary: 'Say whether the process answers', tag: running, answers: shown('Status', 'It does') },
  'GET /readyz': {
    summary: 'Say whether requests are served and notifications sent',
    tag: running,
    answers: { ...shown('Status', 'They are'), 503: { description: 'They are not', schema: 'Status' } },
  },
  'GET /metrics': {
    summary: 'Show metrics for Prometheus',
    tag: running,
    answers: { 200: { description: 'Metrics', schema: 'Text', contentType: 'text/plain' } },
  },
  'GET /_watchbell/openapi.json': { summary: 'Show this document', tag: running, answers: shown('Document', 'It') },
  'GET /_watchbell/docs': {
    summary: 'Show a page to browse this document',
    tag: running,
    answers: { 200: { description: 'The page', schema: 'Text', ...html } },
  },
  'POST /_watchbell/inbox/{name}': {
    summary: 'Send to the inbox: a receiver that comes with the server',
    tag: inbox,
    body: { schema: 'Message', example: { hello: 'inbox' } },
    answers: {},
  },
  'GET /_watchbell/v1/inbox/{name}': {
    summary: 'List what an inbox was sent, or wait for it',
    tag: inbox,
    answers: {},
  },
  'DELETE /_watchbell/v1/inbox/{name}': { summary: 'Empty an inbox', tag: inbox, answers: {} },
};
