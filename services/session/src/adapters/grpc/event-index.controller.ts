import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import type { Plain, sessionApi } from '@bullpen/contracts';

import type { EventIndex } from '../../core/ports.js';

export const EVENT_INDEX = Symbol('EventIndex');

/** Parses, calls, maps. */
@Controller()
export class EventIndexController {
  constructor(@Inject(EVENT_INDEX) private readonly index: EventIndex) {}

  @GrpcMethod('SessionService', 'LocateEvents')
  async locateEvents({ sessionId, before, count }: Plain<sessionApi.LocateEventsRequest>): Promise<Plain<sessionApi.LocateEventsResponse>> {
    return { after: await this.index.startBefore({ sessionId, before, count }) };
  }
}
