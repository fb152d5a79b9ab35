import { ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { Rejection } from '@bullpen/errors';

/** Bodies and queries hold what their class names and nothing else. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const problems = errors.flatMap(problemsOf);
      const fields = [...new Set(errors.map((error) => error.property))];
      return new Rejection('request.invalid', `The request is not valid: ${problems.join('; ')}.`, { fields });
    },
  });
}

function problemsOf(error: ValidationError): string[] {
  return [...Object.values(error.constraints ?? {}), ...(error.children ?? []).flatMap(problemsOf)];
}
