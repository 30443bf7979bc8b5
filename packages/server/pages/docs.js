/** Shows the API document of this server. Texts go into the page as text, never as markup. */
(() => {
  const find = (id) => document.getElementById(id);
  const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const schemaName = (schema) => schema?.$ref?.split('/').at(-1);

  /** A schema in a few words. */
  function typeOf(schema) {
    if (!schema) return '';
    const name = schemaName(schema);
    if (name) return name;
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.join(' | ');
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return choices.map(typeOf).join(' | ');
    const types = [schema.type ?? 'any'].flat();
    return types.map((type) => (type === 'array' ? `${typeOf(schema.items) || 'any'}[]` : type)).join(' | ');
  }

  /** Bounds and what applies when nothing is given. */
  function boundsOf(schema) {
    const parts = [];
    const { minimum, maximum } = schema;
    if (minimum !== undefined && maximum !== undefined) parts.push(`${minimum} to ${maximum}`);
    else if (minimum !== undefined) parts.push(`at least ${minimum}`);
    else if (maximum !== undefined) parts.push(`at most ${maximum}`);
    if (schema.maxLength !== undefined) parts.push(`at most ${schema.maxLength} characters`);
    if (schema.maxItems !== undefined) parts.push(`at most ${schema.maxItems}`);
    if (schema.pattern !== undefined) parts.push(`pattern ${schema.pattern}`);
    if (schema.default !== undefined) parts.push(`default ${JSON.stringify(schema.default)}`);
    return parts.join(', ');
  }

  /** A text in which code stands between backticks. */
  const prose = (text) =>
    element('span', {}, ...text.split('`').map((part, i) => (i % 2 === 1 ? element('code', {}, part) : part)));

  function table(rows, kind = 'keys') {
    return element(
      'table',
      { class: kind },
      ...rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell)))),
    );
  }

  const words = (...parts) => parts.filter((part) => part).join(' · ');

  /** The keys of a schema, and under them those of the schemas it holds. */
  function schemaTable(schema, schemas, seen = []) {
    const name = schemaName(schema);
    if (name) {
      if (seen.includes(name)) return [];
      return schemaTable(schemas[name], schemas, [...seen, name]);
    }
    const rows = Object.entries(schema?.properties ?? {}).map(([key, value]) => [
      element('code', {}, key),
      element(
        'span',
        { class: 'muted' },
        words(typeOf(value), (schema.required ?? []).includes(key) && value.default === undefined && 'required'),
      ),
      prose(words(value.description, boundsOf(value))),
    ]);
    const made = [];
    const title = seen.at(-1);
    if (rows.length > 0) {
      if (seen.length > 0) made.push(element('p', { class: 'muted' }, title));
      made.push(table(rows));
    }
    const inner = [...Object.values(schema?.properties ?? {}), schema?.items].filter((one) => one);
    for (const one of inner) {
      const target = one.items ?? one;
      if (schemaName(target)) made.push(...schemaTable(target, schemas, seen));
      else if (!rows.length && target.properties) made.push(...schemaTable(target, schemas, seen));
    }
    return made;
  }

  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  /** What a terminal would send. */
  function curlOf(origin, path, method, operation, version) {
    const filled = path.replaceAll('{version}', version).replaceAll('{module}', 'Contacts');
    const required = (operation.parameters ?? []).filter(({ in: where, required: is }) => where === 'query' && is);
    const query = required.map(({ name }) => `${name}=${name === 'module' ? 'Contacts' : `{${name}}`}`).join('&');
    const lines = [
      `curl -sS ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${quote(`${origin}${filled}${query && `?${query}`}`)}`,
    ];
    const [security = {}] = operation.security ?? [];
    if ('oauth' in security) lines.push(`-H "Authorization: Zoho-oauthtoken $ACCESS_TOKEN"`);
    if ('operator' in security) lines.push(`-H "Authorization: Bearer $ADMIN_TOKEN"`);
    const content = operation.requestBody?.content ?? {};
    const form = content['application/x-www-form-urlencoded'];
    if (form) for (const [key, value] of Object.entries(form.example)) lines.push(`-d ${quote(`${key}=${value}`)}`);
    else if (operation.requestBody) {
      const example = content['application/json'].example ?? exampleOf(content['application/json'].schema);
      lines.push('-H "Content-Type: application/json"', `-d ${quote(JSON.stringify(example))}`);
    }
    return lines.join(' \\\n  ');
  }

  /** The least that a schema of our own API asks for. */
  function exampleOf(schema) {
    if (schema?.default !== undefined) return schema.default;
    if (schema?.const !== undefined) return schema.const;
    if (schema?.enum) return schema.enum[0];
    const choice = (schema?.anyOf ?? [])[0];
    if (choice) return exampleOf(choice);
    if (schema?.type === 'array') return schema.minItems ? [exampleOf(schema.items)] : [];
    if (schema?.type === 'integer' || schema?.type === 'number') return schema.minimum ?? 0;
    if (schema?.type === 'boolean') return false;
    if (schema?.type !== 'object') return '…';
    const keys = schema.required ?? [];
    return Object.fromEntries(keys.map((key) => [key, exampleOf(schema.properties[key])]));
  }

  function curlBlock(text) {
    const button = element('button', { type: 'button' }, 'Copy');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    });
    return element('div', { class: 'curl' }, element('pre', {}, text), ...(navigator.clipboard ? [button] : []));
  }

  function answerRow(status, answer, shared) {
    const known = answer.$ref ? shared[schemaName(answer)] : answer;
    const [content] = Object.values(known.content ?? {});
    return [
      element('code', {}, status === 'default' ? 'others' : status),
      prose(known.description),
      element('span', { class: 'muted' }, typeOf(content?.schema)),
    ];
  }

  function fill(body, { path, method, operation, spec }) {
    const { schemas, responses } = spec.components;
    if (operation.description) body.append(element('p', {}, prose(operation.description)));
    const scopes = operation.security.flatMap(({ oauth = [] }) => oauth);
    if (scopes.length > 0) body.append(element('p', { class: 'muted' }, `Scope: ${scopes.join(' or ')}`));
    else if (operation.security.length > 0) body.append(element('p', { class: 'muted' }, 'Needs the admin token'));
    const parameters = (operation.parameters ?? []).filter(({ name }) => name !== 'version');
    if (parameters.length > 0) {
      const rows = parameters.map((parameter) => [
        element('code', {}, parameter.name),
        element('span', { class: 'muted' }, words(parameter.in, parameter.required && 'required')),
        prose(
          words(parameter.description, parameter.schema.enum && typeOf(parameter.schema), boundsOf(parameter.schema)),
        ),
      ]);
      body.append(element('h3', {}, 'Parameters'), table(rows));
    }
    const [sent] = Object.values(operation.requestBody?.content ?? {});
    if (sent) {
      const keys = schemaTable(sent.schema, schemas);
      if (keys.length > 0) body.append(element('h3', {}, 'Body'), ...keys);
      if (sent.example) body.append(element('pre', {}, JSON.stringify(sent.example, null, 2)));
    }
    const answers = Object.entries(operation.responses).map(([status, answer]) => answerRow(status, answer, responses));
    body.append(element('h3', {}, 'Answers'), table(answers, 'answers'));
    const shown = Object.values(operation.responses).find(({ content }) => content);
    const [content] = Object.values(shown?.content ?? {});
    const keys = schemaTable(content?.schema, schemas);
    if (keys.length > 0) body.append(element('h3', {}, 'Keys of the answer'), ...keys);
    const origin = spec.servers[0].url;
    const curl = curlOf(origin, path, method, operation, find('api-version').value);
    body.append(element('h3', {}, 'curl'), curlBlock(curl));
  }

  function show(spec) {
    find('version').textContent = spec.info.version;
    const entries = Object.entries(spec.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method], spec })),
    );
    const versions = new Set(entries.flatMap(({ operation }) => versionsOf(operation) ?? []));
    find('api-version').append(...[...versions].map((version) => element('option', {}, version)));
    find('api-version').value = [...versions].at(-1);

    for (const { name } of spec.tags) {
      const anchor = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
      const section = element('section', { id: anchor }, element('h2', {}, name));
      for (const entry of entries.filter(({ operation }) => operation.tags[0] === name)) {
        section.append(operationOf(entry));
      }
      find('operations').append(section);
      find('tags').append(element('a', { href: `#${anchor}` }, name));
    }

    function operationOf(entry) {
      const { path, method, operation } = entry;
      const body = element('div', { class: 'body' });
      const head = element(
        'summary',
        {},
        element('span', { class: 'method' }, method.toUpperCase()),
        element('code', { class: 'path' }, path),
        element('span', { class: 'what' }, operation.summary),
      );
      const made = element('details', { class: 'operation', id: operation.operationId }, head, body);
      made.addEventListener('toggle', () => {
        if (made.open && !body.hasChildNodes()) fill(body, entry);
      });
      entry.element = made;
      entry.words =
        `${method} ${path} ${operation.summary} ${operation.description ?? ''} ${operation.tags}`.toLowerCase();
      entry.refresh = () => {
        body.replaceChildren();
        if (made.open) fill(body, entry);
      };
      return made;
    }

    function filter() {
      const wanted = find('search').value.toLowerCase().split(/\s+/);
      const version = find('api-version').value;
      let count = 0;
      for (const { element: made, words: text, operation } of entries) {
        const isThere = versionsOf(operation)?.includes(version) ?? true;
        made.hidden = !isThere || !wanted.every((word) => text.includes(word));
        if (!made.hidden) count += 1;
      }
      for (const section of find('operations').children) {
        section.hidden = !section.querySelector('details:not([hidden])');
      }
      find('count').textContent = `${count} of ${entries.length} operations`;
    }

    find('search').addEventListener('input', filter);
    find('api-version').addEventListener('change', () => {
      filter();
      for (const { refresh } of entries) refresh();
    });
    const openAll = (open) => () => {
      for (const { element: made } of entries) if (!made.hidden) made.open = open;
    };
    find('expand').addEventListener('click', openAll(true));
    find('collapse').addEventListener('click', openAll(false));
    filter();
    const linked = find(decodeURIComponent(location.hash.slice(1)));
    if (linked?.tagName === 'DETAILS') linked.open = true;
    linked?.scrollIntoView();
  }

  /** Undefined for what has no versions. */
  const versionsOf = (operation) => operation.parameters?.find(({ name }) => name === 'version')?.schema.enum;

  fetch('/_watchbell/openapi.json')
    .then((answer) => answer.json())
    .then(show)
    .catch((error) => {
      find('count').textContent = `The document could not be shown: ${error.message}`;
    });
})();
