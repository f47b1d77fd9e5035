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
  return { severity: 'error', message: 'It cannot be examined.', hint: message }
}
