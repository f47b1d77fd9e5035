import vine from '@vinejs/vine'
import { AGENT_STATUSES } from '#models/types'
import { agentLimits } from '#validators/agent_limits'
import { pageFields } from '#validators/page_fields'

/** Filter of the agent list: `?status=error&search=ana&page=1&limit=50`. */
export const agentQueryValidator = vine.create({
  ...pageFields(),
  status: vine
    .enum([...AGENT_STATUSES, 'resting'] as const)
    .transform((value) => (value === 'resting' ? 'suspended' : value))
    .optional(),
  search: vine.string().trim().minLength(1).maxLength(100).optional(),
})

/** An admin's changes to a user's agent. */
export const agentChangesValidator = vine.create({ limits: agentLimits() })
