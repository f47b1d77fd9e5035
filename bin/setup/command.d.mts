import type { SpawnOptions } from 'node:child_process'

export function command(
  program: string,
  args: string[],
  options?: SpawnOptions & { failure?: string; help?: string; input?: string }
): Promise<string>
