import { serveApp } from './app.ts';
import { startOutbox } from './outbox.ts';

serveApp((setting) => startOutbox(setting, 'together'));
