import vine from '@vinejs/vine'
import { MOST_PER_PAGE } from '#models/page'
import { FINDING_STATUSES, TASK_STATUSES } from '#models/types'
import { emptied } from '#validators/emptied'
import { pageFields } from '#validators/page_fields'
import { time } from '#validators/time_rule'

const TITLE_LENGTH = 200
/** A finding is a finding, and no document. */
const BODY_LENGTH = 20_000
const SOURCE_LENGTH = 2000
const QUERY_LENGTH = 1000
const MOST_MATCHES = MOST_PER_PAGE

const id = () => vine.string().maxLength(64)
const title = () => vine.string().trim().minLength(1).maxLength(TITLE_LENGTH)
const body = () => vine.string().trim().minLength(1).maxLength(BODY_LENGTH)
const source = () => vine.string().trim().maxLength(SOURCE_LENGTH).nullable()

export const findingsValidator = vine.create({
  ...pageFields(),
  status: vine.enum(FINDING_STATUSES).optional(),
})

export const findingValidator = vine.create({
  title: title(),
  body: body(),
  source: source().optional(),
  expiresAt: time().optional(),
  supersedes: id().nullable().optional(),
})

/** Stores what is nearly there already with `?force=true`. */
export const forceValidator = vine.create({ force: vine.boolean().optional() })

export const findingChangesValidator = vine.create({
  title: title().optional().requiredWhen(emptied),
  body: body().optional().requiredWhen(emptied),
  source: source().optional(),
  expiresAt: time().optional(),
  confirmed: vine.boolean({ strict: true }).optional().requiredWhen(emptied),
  status: vine
    .enum(['current', 'rejected'] as const)
    .optional()
    .requiredWhen(emptied),
})

export const findingSearchValidator = vine.create({
  query: vine.string().trim().minLength(1).maxLength(QUERY_LENGTH),
  limit: vine.number().withoutDecimals().min(1).max(MOST_MATCHES).optional(),
})

/** Characters of a memory's key or namespace. */
export const KEY_LENGTH = 200
const MOST_REVISIONS = 2_000_000_000
/** A day; longer work needs another claim. */
const MOST_CLAIM_MINUTES = 1440
const MOST_PRIORITY = 100

const namespace = () => vine.string().trim().minLength(1).maxLength(KEY_LENGTH)
const revision = () => vine.number().withoutDecimals().min(0).max(MOST_REVISIONS)

export const memoriesValidator = vine.create({
  ...pageFields(),
  namespace: namespace().optional(),
})

/** Identifies a memory, together with the key in the path. */
export const memoryKeyValidator = vine.create({
  namespace: namespace().optional(),
  revision: revision().optional(),
})

export const memoryValidator = vine.create({
  value: vine.any().nullable(),
  namespace: namespace().optional(),
  revision: revision().optional(),
  expiresAt: time().optional(),
})

const longText = () => vine.string().trim().maxLength(BODY_LENGTH).nullable()

const priority = () => vine.number().withoutDecimals().min(-MOST_PRIORITY).max(MOST_PRIORITY)

const taskFields = () => ({
  body: longText().optional(),
  result: longText().optional(),
  status: vine.enum(TASK_STATUSES).optional(),
  priority: priority().optional(),
  dueAt: time().optional(),
  assignedUserId: id().nullable().optional(),
  assignedAgent: vine.string().maxLength(80).nullable().optional(),
})

export const tasksValidator = vine.create({
  ...pageFields(),
  status: vine.enum(TASK_STATUSES).optional(),
  assignedAgent: vine.string().maxLength(80).optional(),
})

export const taskValidator = vine.create({ title: title(), ...taskFields() })

export const taskChangesValidator = vine.create({
  title: title().optional().requiredWhen(emptied),
  ...taskFields(),
  status: vine.enum(TASK_STATUSES).optional().requiredWhen(emptied),
  priority: priority().optional().requiredWhen(emptied),
})

export const claimValidator = vine.create({
  minutes: vine.number().withoutDecimals().min(1).max(MOST_CLAIM_MINUTES).optional(),
})

/** Maximum retention period: ten years. */
const MOST_DAYS = 3650

export const archiveRuleValidator = vine.create({
  enabled: vine.boolean({ strict: true }).optional(),
  days: vine.number().withoutDecimals().min(1).max(MOST_DAYS).optional(),
})

/** Lists archived conversations. */
export const archivedValidator = vine.create(pageFields())
