// Every project lists what it imports: @bullpen packages in package.json and in the references of tsconfig.json, others in package.json.
import { globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';

import ts from 'typescript';

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const { dependencies: shippedVersions, devDependencies } = readJson('package.json');
const rootVersions = { ...shippedVersions, ...devDependencies };
const isOurs = (path) => !/(?:^|\/)(?:dist|gen|node_modules|sample)\//.test(path);
const folders = globSync('{libs,services,apps}/{*,*/*}/package.json').filter(isOurs).map(dirname);
const folderOf = new Map(folders.map((folder) => [readJson(join(folder, 'package.json')).name, folder]));

function packageOf(specifier) {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return null;
  const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return builtinModules.includes(name) ? null : name;
}

/** What the shipped code imports; tests may use whatever the workspace has. */
function importsOf(folder) {
  const files = globSync(join(folder, 'src/**/*.{ts,tsx}')).filter((file) => isOurs(file) && !file.endsWith('.spec.ts'));
  const specifiers = files.flatMap((file) => ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => fileName));
  return new Set(specifiers.map(packageOf).filter((name) => name !== null));
}

function problemsOf(folder) {
  const { name: own, dependencies = {} } = readJson(join(folder, 'package.json'));
  const { references = [] } = readJson(join(folder, 'tsconfig.json'));
  const referenced = new Set(references.map(({ path }) => join(folder, path)));
  const problems = [];
  for (const name of importsOf(folder)) {
    if (name === own) problems.push(`imports itself as ${name}; import the file`);
    else if (!(name in dependencies)) problems.push(`imports ${name}, which its package.json does not list`);
    else if (folderOf.has(name) && !referenced.has(folderOf.get(name))) problems.push(`imports ${name}, which its tsconfig.json does not reference`);
  }
  for (const [name, version] of Object.entries(dependencies)) {
    if (folderOf.has(name)) continue;
    if (rootVersions[name] !== version) problems.push(`wants ${name} ${version}, and the root ${rootVersions[name] ?? 'does not list it'}`);
  }
  return problems.map((problem) => `${folder} ${problem}.`);
}

const problems = folders.flatMap(problemsOf);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
