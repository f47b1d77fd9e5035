import { MAIL_FAILURES } from '#mail/mail_failure'
import { either, only, oneOf, shape, text } from '#openapi/answer'

/** Result of sending a mail. */
export const delivery = either(
  shape({ sent: only(true) }),
  shape({ sent: only(false), reason: oneOf(MAIL_FAILURES), message: text(), hint: text() })
)
