/** What system agents are for; an agent may have a role of another name too. */
export const SYSTEM_ROLES = [
  'operations',
  'monitor',
  'scheduler',
  'development',
  'research',
] as const
