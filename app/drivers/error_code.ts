/**
 * Whether an error has one of these codes. Errors of contracts are told apart by code, never by class: a plugin
 * throws the classes of its own copy of a package.
 */
export function hasCode<Code extends string>(
  error: unknown,
  ...codes: Code[]
): error is Error & { code: Code } {
  return error instanceof Error && (codes as unknown[]).includes((error as { code?: unknown }).code)
}
