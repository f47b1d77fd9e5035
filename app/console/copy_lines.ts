import type { CopyFailure } from '#agents/fleet/data_copies'

/** Returns the result of copying agents' data as lines: the sentence, then each failure with its next step. */
export function copyLines(sentence: string, failed: CopyFailure[]): string {
  const lines = failed.map(({ name, message, hint }) =>
    hint ? `${name}: ${message}\n  ${hint}` : `${name}: ${message}`
  )
  return [sentence, ...lines].join('\n')
}
