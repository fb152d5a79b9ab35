import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** OpenAPI, made from the controllers: a page at /api/docs whose assets come from its package, and JSON at /api/docs-json. */
export function serveApiDocs(app: INestApplication): void {
  const description = [
    'Errors are RFC 9457 problem details with a stable `code`. Every POST honours `Idempotency-Key`.',
    'Live events come over Socket.IO: `session.subscribe {sessionId, after?}` with `auth: {token}`.',
  ].join(' ');
  const config = new DocumentBuilder().setTitle('Bullpen').setVersion('1').setDescription(description).addBearerAuth().build();
  SwaggerModule.setup('api/docs', app, SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'api/docs-json',
    raw: ['json'],
    customSiteTitle: 'Bullpen API',
    swaggerOptions: { validatorUrl: null },
  });
}
