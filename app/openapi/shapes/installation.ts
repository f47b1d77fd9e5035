import { CHECKLIST } from '#onboarding/checklist'
import {
  anything,
  count,
  day,
  either,
  flag,
  list,
  nullable,
  only,
  oneOf,
  optional,
  record,
  shape,
  text,
  time,
} from '#openapi/answer'

/** A secret's value is null; `set` says whether it has one. */
export const setting = shape({
  key: text(),
  value: anything<string | number | boolean | string[] | null>(),
  source: oneOf(['default', 'database']),
  secret: flag(),
  set: flag(),
  /** `operator`: only on the command line; `provenAdmin`: by a session with a fresh proof. */
  changedBy: oneOf(['admin', 'provenAdmin', 'operator']),
  /** Texts of a plugin's setting. */
  form: nullable(
    shape({
      label: text(),
      help: nullable(text()),
      choices: nullable(list(shape({ value: text(), label: text() }))),
    })
  ),
})

export const auditEvent = shape({
  id: text(),
  actor: nullable(shape({ id: text(), name: nullable(text()) })),
  action: text(),
  subject: nullable(shape({ type: text(), id: nullable(text()), name: nullable(text()) })),
  details: nullable(record()),
  address: nullable(text()),
  createdAt: time(),
  /** Whether a known key sealed it at this position. */
  verified: flag(),
})

const severity = oneOf(['error', 'warning'])

/** A runtime driver and its findings. */
export const runtime = shape({
  name: text(),
  label: nullable(text()),
  description: nullable(text()),
  inUse: flag(),
  usable: flag(),
  isolation: oneOf(['none', 'user', 'sandbox', 'sandbox-shared-network', 'container']),
  limits: flag(),
  movesData: flag(),
  findings: list(
    shape({ severity, code: text(), message: text(), hint: text(), link: nullable(text()) })
  ),
})

const sums = {
  chats: count(),
  wakes: count(),
  awakeSeconds: count(),
  tokensIn: count(),
  tokensOut: count(),
}

/** Days with too few people are withheld. */
export const usage = shape({
  from: day(),
  to: day(),
  days: list(
    either(
      shape({ day: day(), withheld: only(false), activeUsers: count(), ...sums }),
      shape({ day: day(), withheld: only(true) })
    )
  ),
  totals: shape({ activeUsers: count(), ...sums }),
  withheldDays: count(),
  knowledge: either(
    shape({
      withheld: only(false),
      rows: count(),
      bytes: count(),
      messages: count(),
      messageBytes: count(),
    }),
    shape({ withheld: only(true) })
  ),
  wakes: list(shape({ day: day(), outcome: text(), count: count(), totalMs: count() })),
})

export const about = shape({
  versions: shape({ mosaic: text(), node: text(), openclaw: text(), database: text() }),
  startedAt: time(),
  findings: list(
    shape({
      area: oneOf(['database', 'vault', 'runtime', 'plugins', 'storage', 'network']),
      severity,
      message: text(),
      hint: text(),
      code: optional(text()),
    })
  ),
})

const chapter = { name: text(), title: text() }

export const docsEntry = shape(chapter)
export const docsChapter = shape({ ...chapter, text: text() })

/** Tasks left after set-up. */
export const checklist = shape({
  hidden: flag(),
  items: list(shape({ name: oneOf(CHECKLIST), done: flag() })),
})

/** Left open: OpenAPI specifies its own shape. */
export const description = record()
