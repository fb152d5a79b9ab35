export type {
  ObservedSandbox,
  ObservedPhase,
  SandboxDriver,
  SandboxFeature,
  SandboxObservation,
  SandboxSpec,
} from './sandbox-driver.js';
