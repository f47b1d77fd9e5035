import vine from '@vinejs/vine'
import { agentLimits } from '#validators/agent_limits'
import { emptied } from '#validators/emptied'
import { skip, unskipped } from '#validators/skip'

/** Names become container names, so they use only characters that every runtime accepts. */
const name = () =>
  vine
    .string()
    .trim()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
const role = () => vine.string().trim().minLength(1).maxLength(64)
const primaryModel = () => vine.string().trim().minLength(1).maxLength(255)

const MOST_LABELS = 8
const limits = () => agentLimits().optional()

/** Labels as every engine accepts them: at most eight. */
const placement = () =>
  vine
    .record(vine.string().regex(/^[\w.-]{1,63}$/))
    .validateKeys((keys, field) => {
      const isValid = (key: string) => /^[a-zA-Z0-9][\w.-]{0,62}$/.test(key)
      if (keys.length > MOST_LABELS || !keys.every(isValid)) {
        field.report('{{ field }} names at most eight labels of nodes', 'labels', field)
      }
    })
    .nullable()
    .optional()

const systemAgent = () => ({ name: name(), role: role(), primaryModel: primaryModel() })

export const systemAgentValidator = vine.create({
  ...systemAgent(),
  limits: limits(),
  placement: placement(),
})

export const systemAgentChangesValidator = vine.create({
  name: name().optional().requiredWhen(emptied),
  role: role().optional().requiredWhen(emptied),
  primaryModel: primaryModel().optional().requiredWhen(emptied),
  limits: limits(),
  placement: placement(),
  isActive: vine.boolean({ strict: true }).optional().requiredWhen(emptied),
})

/** The onboarding step: agents to create, possibly none, or `skip: true`. */
export const systemAgentsStepValidator = vine.create({
  skip: skip(),
  agents: vine
    .array(vine.object(systemAgent()))
    .maxLength(20)
    .distinct('name')
    .optional()
    .requiredWhen(unskipped),
})

/** The file of `system-agents:apply`. */
export const declaredAgentsValidator = vine.create({
  agents: vine
    .array(
      vine.object({
        ...systemAgent(),
        limits: limits(),
        placement: placement(),
        isActive: vine.boolean({ strict: true }).optional(),
      })
    )
    .maxLength(100)
    .distinct('name'),
})
