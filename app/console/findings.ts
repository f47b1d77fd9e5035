/** A problem or notice: where it is, and how to fix it. */
export interface ExaminationFinding {
  area: 'database' | 'vault' | 'runtime' | 'plugins' | 'storage' | 'network'
  severity: 'error' | 'warning'
  message: string
  hint: string
}

/** Findings of one area. */
export type Findings = Omit<ExaminationFinding, 'area'>[]

/** Returns an error as a finding, with its own next step if it has one. */
export function toFinding(error: unknown): Findings[number] {
  const { message, help } = error as { message: string; help?: string }
  if (help) return { severity: 'error', message, hint: help }
  return {
    severity: 'error',
    message: `The check failed: ${message}`,
    hint: 'Run "node ace doctor" again. If it fails again, report the error with the log of Mosaic.',
  }
}
