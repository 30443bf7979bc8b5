/** One server of a database URL. */
export interface DatabaseHost {
  /** Host name, address without brackets, or absolute path of a directory of sockets. */
  readonly host: string;
  readonly port: number;
  /** Of this server alone, as the driver takes it. With the password. */
  readonly url: string;
}

/** Where a PostgreSQL database is: on one server, or on whichever of several takes writes. */
export interface DatabaseUrl {
  /** In the order given; at least one. */
  readonly hosts: readonly DatabaseHost[];
  readonly database: string;
  /** Undefined: whom the driver takes by itself. */
  readonly user?: string;
}

const DEFAULT_PORT = 5432;
const MAX_HOSTS = 16;
const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
/** What the driver is told as it stands. */
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name', 'options', 'host'];

/** Throws a `RangeError` that says what is wrong with it, without its password. */
export function readDatabaseUrl(text: string): DatabaseUrl {
  const [, authority = '', path = '', query = ''] =
    /^postgres(?:ql)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text) ??
    refuse('must look like postgres://user:password@host:5432/database');
  const at = authority.lastIndexOf('@');
  const credentials = at < 0 ? '' : authority.slice(0, at);
  if (credentials.includes('@') || (at < 0 && /[@]/.test(path + query))) {
    refuse('has a character in its user or password that must be written as %40, %2F, %3F, %23, %3A or the like');
  }
  const [user = '', ...password] = credentials.split(':');
  if (password.length > 1) refuse('has a colon in its password that must be written as %3A');
  decoded(credentials);
  const database = decoded(path);
  if (database === '' || database.includes('/')) refuse('must name one database, as in postgres://host/watchbell');
  const parameters = readParameters(query);
  const socket = parameters.get('host');
  const places = socket === undefined ? authority.slice(at + 1).split(',') : [socket];
  if (socket !== undefined && authority.slice(at + 1) !== '') refuse('names a host before the path and one as host=');
  if (places.length > MAX_HOSTS) refuse(`names more than ${MAX_HOSTS} hosts`);
  const hosts = places.map((place, index) => {
    const { host, port } = socket === undefined ? readPlace(place, index) : { host: socket, port: DEFAULT_PORT };
    const rest = new URLSearchParams([...parameters].filter(([name]) => name !== 'host'));
    // As PostgreSQL's own programs read sslmode: "require" alone says nothing about the certificate.
    if (rest.has('sslmode')) rest.set('uselibpqcompat', 'true');
    const where = host.startsWith('/') ? encodeURIComponent(host) : host.includes(':') ? `[${host}]` : host;
    const after = rest.size > 0 ? `?${rest}` : '';
    const who = at < 0 ? '' : `${credentials}@`;
    return { host, port, url: `postgres://${who}${where}:${port}/${path}${after}` };
  });
  return { hosts, database, ...(user !== '' && { user: decoded(user) }) };
}

/** How it may be shown: hosts and database, no credentials. */
export const showDatabase = ({ hosts, database }: DatabaseUrl): string =>
  `${hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')}/${database}`;

/** Never shows the text: it may be a password whose host was forgotten. */
function readPlace(text: string, index: number): { host: string; port: number } {
  const [whole, address, name = '', digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(\d*))?$/.exec(text) ?? [];
  const host = address ?? decoded(name);
  const port = digits === undefined || digits === '' ? DEFAULT_PORT : Number(digits);
  const isName = address !== undefined || /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?\.?$/i.test(host) || host.startsWith('/');
  if (whole === undefined || !isName) refuse(`names no host, or not as host or host:port, as number ${index + 1}`);
  if (port < 1 || port > 65_535) refuse(`has no port from 1 to 65535 at host number ${index + 1}`);
  return { host, port };
}

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'target_session_attrs') {
      if (value !== 'read-write' && value !== 'primary')
        refuse('can have no other target_session_attrs than read-write');
      continue;
    }
    if (!PARAMETERS.includes(name))
      refuse(`has a parameter that is not known: ${name}; known: ${PARAMETERS.join(', ')}`);
    if (parameters.has(name)) refuse(`has the parameter ${name} twice`);
    parameters.set(name, value);
  }
  const mode = parameters.get('sslmode');
  if (mode !== undefined && !SSL_MODES.includes(mode)) refuse(`can have as sslmode only ${SSL_MODES.join(', ')}`);
  if (mode === 'verify-ca' && !parameters.has('sslrootcert')) refuse('needs sslrootcert beside sslmode=verify-ca');
  if (mode === undefined && [...parameters.keys()].some((name) => name.startsWith('ssl'))) {
    refuse('needs sslmode beside its other ssl parameters');
  }
  if (parameters.has('host') && !parameters.get('host')?.startsWith('/')) {
    refuse('can have as host= only the absolute path of a directory of sockets');
  }
  return parameters;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('has a percent sign that begins no %xx');
  }
}

function refuse(what: string): never {
  throw new RangeError(what);
}
