import { describe, expect, it } from '@jest/globals';

import { currentTrace, traceparentOf, withTrace } from './index.js';

describe('a trace', () => {
  const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is taken over when it is one, and begun otherwise', () => {
    expect(traceparentOf(given)).toBe(given);
    for (const bad of [undefined, '', 'x', given.toUpperCase(), given.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32))]) {
      expect(traceparentOf(bad)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(traceparentOf(bad)).not.toBe(traceparentOf(bad));
    }
  });

  it('goes with the work that it was given to, and nowhere else', async () => {
    const seen = (id: string) => withTrace({ requestId: id, traceparent: given }, async () => (await Promise.resolve(), currentTrace()?.requestId));
    expect(await Promise.all([seen('a'), seen('b')])).toEqual(['a', 'b']);
    expect(currentTrace()).toBeUndefined();
  });
});
