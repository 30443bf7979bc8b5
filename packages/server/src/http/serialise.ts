import compilerOf from '@fastify/fast-json-stringify-compiler';

type Build = ReturnType<typeof compilerOf>;

/** As the framework does it, but for each answer when it is first given: all of them at once are a good part of a start. */
export const buildSerializer: Build = (...given) => {
  const compile = compilerOf()(...given);
  return (route) => {
    let serialise: ReturnType<typeof compile> | undefined;
    return (answer) => {
      serialise ??= compile(route);
      return serialise(answer);
    };
  };
};
