import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';

import { schemaReference } from '@bullpen/contracts';

import { eventSchemas } from './event-schemas.js';
import { EventEnvelope, ProblemAnswer, ReadinessChecks, SandboxesAnswer } from './response.dto.js';
import { PushFailedAnswer, PushedAnswer } from './session-state.dto.js';

const TOKEN = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'opaque',
  description: 'The platform\'s token: `.bullpen/token` in the checkout (`$BULLPEN_HOME/token`), or what BULLPEN_TOKEN was set to.',
} as const;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** Answers that others refer to by name only. */
const BY_NAME = [ProblemAnswer, EventEnvelope, SandboxesAnswer, ReadinessChecks, PushedAnswer, PushFailedAnswer];

/** OpenAPI of every route, made from the controllers. The same code gives the same document. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const description = [
    'Errors are RFC 9457 problem details with a stable `code`. Every POST honours `Idempotency-Key`.',
    'Live events come over Socket.IO: `session.subscribe {sessionId, after?}` with `auth: {token}`.',
  ].join(' ');
  const config = new DocumentBuilder().setTitle('Bullpen').setVersion('1').setDescription(description).addBearerAuth(TOKEN).build();
  const document = SwaggerModule.createDocument(app, config, { extraModels: BY_NAME });
  Object.assign((document.components ??= {}).schemas ??= {}, eventSchemas());
  for (const path of Object.values(document.paths)) {
    for (const operation of [path.get, path.post, path.patch, path.delete]) if (operation) addProblems(operation.responses);
  }
  return document;
}

/** Whatever goes wrong is told in one shape; a route names those of its own. */
function addProblems(responses: Operation['responses']): void {
  const content = { 'application/problem+json': { schema: schemaReference(ProblemAnswer.name) } };
  for (const [status, response] of Object.entries(responses)) {
    if (Number(status) >= 400 && response !== undefined && 'description' in response) response.content = content;
  }
  responses['default'] = { description: 'A problem, with its code.', content };
}

/** A page at /api/docs whose assets come from its package, and JSON at /api/docs-json. */
export function serveApiDocs(app: INestApplication): void {
  SwaggerModule.setup('api/docs', app, openApiDocument(app), {
    jsonDocumentUrl: 'api/docs-json',
    raw: ['json'],
    customSiteTitle: 'Bullpen API',
    swaggerOptions: { validatorUrl: null },
  });
}
