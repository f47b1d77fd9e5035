/** Suggested roles of system agents; other names are allowed. */
export const SYSTEM_ROLES = [
  'operations',
  'monitor',
  'scheduler',
  'development',
  'research',
] as const
