import { serveApp } from './app.ts';
import { byRequest, startRaw } from './raw.ts';

serveApp(startRaw(byRequest));
