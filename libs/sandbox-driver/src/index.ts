export { differences } from './differences.js';
export type {
  ObservedSandbox,
  ObservedPhase,
  SandboxDriver,
  SandboxFeature,
  SandboxId,
  SandboxObservation,
  SandboxSpec,
} from './sandbox-driver.js';
