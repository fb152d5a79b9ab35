/** A process to start: without a shell, with exactly this environment added to PATH and HOME. Nothing secret is in it. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
