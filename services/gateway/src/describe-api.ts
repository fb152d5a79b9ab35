import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { EventPages } from './adapters/log/event-pages.js';
import { openApiDocument } from './adapters/rest/api-docs.js';
import { ORCHESTRATOR_CALLS, SESSION_CALLS } from './adapters/rpc/rpc.providers.js';
import { SessionReader } from './adapters/rpc/session-reader.js';
import { CONTROLLERS } from './gateway.module.js';
import { EVENT_LOG, GATEWAY_CONFIG, LOGGER, OBJECT_STORE } from './tokens.js';

/** What controllers are made with; here none of it is used. */
const USED = [SESSION_CALLS, ORCHESTRATOR_CALLS, EVENT_LOG, GATEWAY_CONFIG, LOGGER, OBJECT_STORE, EventPages, SessionReader];

/** The OpenAPI document as JSON text, without anything running: docs/api keeps a copy, and the checks compare. */
export async function describeApi(): Promise<string> {
  const providers = USED.map((provide) => ({ provide, useValue: null }));
  @Module({ controllers: [...CONTROLLERS], providers })
  class Routes {}
  const app = await NestFactory.create(Routes, { preview: true, logger: false, abortOnError: false });
  return `${JSON.stringify(openApiDocument(app), null, 2)}\n`;
}
