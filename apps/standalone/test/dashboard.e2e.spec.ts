import { afterAll, afterEach, beforeAll } from '@jest/globals';

import { access } from './dashboard/access.suite.js';
import { firstPrompt } from './dashboard/first-prompt.suite.js';
import { longSession } from './dashboard/long-session.suite.js';
import { screens } from './dashboard/screens.suite.js';
import { signIn } from './dashboard/sign-in.suite.js';
import { Stage } from './dashboard/stage.js';
import { working } from './dashboard/working.suite.js';

/** The dashboard in a real browser on the real product; nothing is replaced but the model. */
const stage = new Stage();
beforeAll(() => stage.raise(), 120_000);
afterEach(async () => {
  await stage.browser.forgetAll();
  stage.browser.takeComplaints();
});
afterAll(() => stage.strike(), 60_000);

signIn(stage);
firstPrompt(stage);
working(stage);
access(stage);
screens(stage);
longSession(stage);
