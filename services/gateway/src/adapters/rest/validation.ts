import { ValidationPipe } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { Rejection } from '@bullpen/errors';

/** For a body or a query: it holds what its class names and nothing else. */
export function valid(expectedType: Type): ValidationPipe {
  return new ValidationPipe({
    expectedType,
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

/** One for each field: its first check says the most (the last listed), the others follow from it. */
function problemsOf(error: ValidationError): string[] {
  return [...Object.values(error.constraints ?? {}).slice(-1), ...(error.children ?? []).flatMap(problemsOf)];
}
