import { AUTHORS, FINDING_STATUSES } from '#models/types'
import { list, nullable, number, only, oneOf, shape, text, time } from '#openapi/answer'

const findingFields = {
  id: text(),
  title: text(),
  body: text(),
  source: nullable(text()),
  author: oneOf(AUTHORS),
  status: oneOf(FINDING_STATUSES),
  confirmedAt: nullable(time()),
  expiresAt: nullable(time()),
  supersedes: nullable(text()),
  supersededBy: nullable(text()),
  createdAt: time(),
  updatedAt: time(),
}

/** Something that was found out, by its owner or by the owner's agent. */
export const finding = shape(findingFields)

/** The best match first. Scores compare within one search. */
export const foundFindings = list(
  shape({ ...findingFields, score: number(), foundBy: only('words') })
)
