import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { BIN } from '../support/server-process.ts';

export interface HelpExample {
  /** Such as `channels list`. */
  readonly command: string;
  /** As a person would type it. */
  readonly line: string;
}

/** What the helps of all commands show, and the commands whose help shows none. */
export function helpExamples(): { readonly examples: readonly HelpExample[]; readonly without: readonly string[] } {
  const examples: HelpExample[] = [];
  const without: string[] = [];
  function look(command: Command, name: string): void {
    for (const inner of command.commands) look(inner, `${name} ${inner.name()}`.trim());
    if (command.commands.length > 0) return;
    const lines = [...helpOf(command).matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line);
    examples.push(...lines.map((line) => ({ command: name, line })));
    if (lines.length === 0) without.push(name);
  }
  look(
    createProgram(async () => undefined, {}),
    '',
  );
  return { examples, without };
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut(part) {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place of its own to run lines in, with `watchbell` on the path; files that they make are made there. */
export function createShell(env: Readonly<Record<string, string>>) {
  const home = mkdtempSync(join(tmpdir(), 'watchbell-examples-'));
  const bin = join(home, 'watchbell');
  writeFileSync(bin, `#!/bin/sh\necho $$ >"${home}/pid"\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(bin, 0o755);

  return {
    home,
    /** With `until` it is ended by SIGTERM once it has said that. */
    run(line: string, until?: RegExp): Promise<Ran> {
      return new Promise((resolve) => {
        const child = spawn('bash', ['-c', line], {
          cwd: home,
          env: { PATH: `${home}:${process.env.PATH}`, HOME: home, ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const said = { stdout: '', stderr: '' };
        let isEnding = false;
        const hear = (stream: keyof typeof said) => (chunk: Buffer) => {
          said[stream] += chunk.toString();
          if (!until || isEnding || !until.test(said[stream])) return;
          isEnding = true;
          process.kill(Number(readFileSync(join(home, 'pid'), 'utf8')), 'SIGTERM');
        };
        child.stdout.on('data', hear('stdout'));
        child.stderr.on('data', hear('stderr'));
        child.on('close', (code) => resolve({ code, ...said }));
      });
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
