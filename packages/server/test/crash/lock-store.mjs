// Holds the write lock of a store until it is killed.
import Database from 'better-sqlite3';

const db = new Database(process.argv[2], { timeout: 5000 });
db.exec('BEGIN IMMEDIATE');
process.stdout.write('locked\n');
setInterval(() => undefined, 60_000);
