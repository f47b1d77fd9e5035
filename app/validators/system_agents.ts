import vine from '@vinejs/vine'
import { agentLimits } from '#validators/agent_limits'

/** Names become container names, so they use only characters that every runtime accepts. */
const name = () =>
  vine
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
const role = () => vine.string().trim().minLength(1).maxLength(64)
const primaryModel = () => vine.string().trim().minLength(1).maxLength(255)

const limits = () => agentLimits().optional()

const systemAgent = () => ({ name: name(), role: role(), primaryModel: primaryModel() })

export const systemAgentValidator = vine.create({ ...systemAgent(), limits: limits() })

export const systemAgentChangesValidator = vine.create({
  name: name().optional(),
  role: role().optional(),
  primaryModel: primaryModel().optional(),
  limits: limits(),
  isActive: vine.boolean({ strict: true }).optional(),
})

/** The onboarding step: agents to create, or `skip: true`. */
export const systemAgentsStepValidator = vine.create({
  skip: vine.literal(true).optional(),
  agents: vine
    .array(vine.object(systemAgent()))
    .minLength(1)
    .maxLength(20)
    .distinct('name')
    .optional()
    .requiredIfMissing('skip'),
})

/** The file of `system-agents:apply`. */
export const declaredAgentsValidator = vine.create({
  agents: vine
    .array(
      vine.object({
        ...systemAgent(),
        limits: limits(),
        isActive: vine.boolean({ strict: true }).optional(),
      })
    )
    .maxLength(100)
    .distinct('name'),
})
