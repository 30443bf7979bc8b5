import { serveApp } from './app.ts';
import { byDispatch, startRaw } from './raw.ts';

serveApp(startRaw(byDispatch));
