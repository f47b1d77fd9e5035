import vine from '@vinejs/vine'
import { FINDING_STATUSES } from '#models/types'
import { pageFields } from '#validators/page_fields'
import { time } from '#validators/time_rule'

const TITLE_LENGTH = 200
/** A finding is a finding, and no document. */
const BODY_LENGTH = 20_000
const SOURCE_LENGTH = 2000
const QUERY_LENGTH = 1000
const MOST_MATCHES = 50

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
  title: title().optional(),
  body: body().optional(),
  source: source().optional(),
  expiresAt: time().optional(),
  confirmed: vine.boolean({ strict: true }).optional(),
  status: vine.enum(['current', 'rejected'] as const).optional(),
})

export const findingSearchValidator = vine.create({
  query: vine.string().trim().minLength(1).maxLength(QUERY_LENGTH),
  limit: vine.number().withoutDecimals().min(1).max(MOST_MATCHES).optional(),
})
