export const OPENCLAW_VERSION: string

export function installOpenClaw(
  storage: string,
  report: (share: number) => void
): Promise<'installed' | 'present'>

export function place(folder: string, target: string): Promise<'installed' | 'present'>
