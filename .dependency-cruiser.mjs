import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';

const TESTS = ['\\.spec\\.ts$', '/test/'];
const NODE_MODULES_OF_NODE = `^(?:node:)?(?:${builtinModules.filter((name) => !name.startsWith('_')).join('|')})$`;
const FRAMEWORKS = 'node_modules/(?:@nestjs|@nats-io|@grpc|@connectrpc|typeorm|pg|pino|rxjs|ws|express|socket\\.io|socket\\.io-client|reflect-metadata)/';

const PACKAGES = globSync('{libs,services,apps}/{*,*/*}/package.json', { exclude: (name) => /node_modules|sample|dist/.test(name) }).map(dirname);
/** The source file behind each of a package's exports. */
const FRONT_DOORS = PACKAGES.flatMap((folder) => {
  const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.values(exports).map(({ source }) => `^${join(folder, source).replaceAll('.', '\\.')}$`);
});

/** The boundaries of docs/adr/0003 and 0011, read from the import graph; type imports count too. */
export default {
  forbidden: [
    {
      name: 'core-is-plain',
      comment: 'core/ decides; it knows no framework, no Node and no adapter, so that it can be read and tested alone.',
      severity: 'error',
      from: { path: '/src/core/', pathNot: TESTS },
      to: { path: [NODE_MODULES_OF_NODE, FRAMEWORKS, '/src/adapters/'] },
    },
    {
      name: 'services-are-apart',
      comment: 'Services meet in proto/ and in the log, never in code.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'only-downwards',
      comment: 'apps use services and libs, services use libs, libs use libs.',
      severity: 'error',
      from: { path: '^(?:libs|services)/', pathNot: TESTS },
      to: { path: '^apps/' },
    },
    {
      name: 'libs-know-no-service',
      comment: 'apps use services and libs, services use libs, libs use libs.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^services/' },
    },
    ...PACKAGES.map((folder) => ({
      name: `through-the-front-door:${folder}`,
      comment: 'Another package is used through what its package.json exports.',
      severity: 'error',
      from: { path: `^${folder}/` },
      to: { path: '^(?:libs|services|apps)/', pathNot: [`^${folder}/`, ...FRONT_DOORS] },
    })),
    {
      name: 'browser-safe',
      comment: 'The browser runs these two: nothing they reach may be of Node or of a server framework.',
      severity: 'error',
      from: { path: '^libs/(?:session-model|sync-protocol)/src/', pathNot: TESTS },
      to: { path: [NODE_MODULES_OF_NODE, FRAMEWORKS.replace('|socket\\.io-client', '')], reachable: true },
    },
    {
      name: 'tests-are-not-shipped',
      comment: 'What runs in production imports no test and no test kit.',
      severity: 'error',
      from: { path: '^(?:libs|services|apps)/', pathNot: [...TESTS, '^libs/testing/'] },
      to: { path: ['\\.spec\\.ts$', '^libs/testing/'] },
    },
    {
      name: 'features-are-apart',
      comment: 'Routes compose features; a feature that needs another one takes it as a property.',
      severity: 'error',
      from: { path: '^apps/web/src/features/([^/]+)/' },
      to: { path: '^apps/web/src/features/', pathNot: '^apps/web/src/features/$1/' },
    },
    {
      name: 'web-downwards',
      comment: 'routes use features, features use components and lib, components use lib, lib uses neither.',
      severity: 'error',
      from: { path: '^apps/web/src/(lib|components|features)/' },
      to: { path: '^apps/web/src/(?:routes/|features/|components/)', pathNot: '^apps/web/src/(?:$1|components)/' },
    },
    {
      name: 'web-lib-is-lowest',
      severity: 'error',
      from: { path: '^apps/web/src/lib/' },
      to: { path: '^apps/web/src/components/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', comment: 'An import that leads nowhere escapes every other rule.', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '^apps/standalone/sample/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.spec.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json', '.css'],
    },
  },
};
