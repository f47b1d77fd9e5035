/** Whether an error is of PostgreSQL's class 22, "data exception": strings and numbers that no column accepts. */
export function isUnstorable(error: unknown): boolean {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code) && severity === 'ERROR'
}
