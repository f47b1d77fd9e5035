import { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'
import type { FindingView } from '#knowledge/finding_view'

/** A finding with nearly the same content exists. It goes into the response, but must not be logged. */
export class E_SIMILAR extends CodedError {
  static override status = 409
  static override message = 'There is a finding that says nearly the same.'
  static override help =
    'Change that one, name it as "supersedes", or send this one again with "?force=true".'

  /** Private, so that loggers do not serialize it. */
  readonly #similar: FindingView

  constructor(similar: FindingView) {
    super()
    this.#similar = similar
  }

  get similar(): FindingView {
    return this.#similar
  }
}

export class E_TOO_MUCH_KNOWLEDGE extends CodedError {
  static override status = 409
  static override help = 'Delete what you do not need. An admin can allow more.'

  constructor(most: number) {
    super(`You have ${most} findings, memories and tasks, and no user may have more.`)
  }
}

export class E_KNOWLEDGE_TOO_LARGE extends Exception {
  static override code = 'E_TOO_MUCH_KNOWLEDGE'
  static override status = 413
  static override help = 'Delete what you do not need. An admin can allow more.'

  constructor(megabytes: number) {
    super(`Your findings, memories and tasks may take ${megabytes} MB together.`)
  }
}

export class E_MEMORY_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'There is no memory of this key.'
  static override help = 'List the memories of its namespace.'
}

/** The memory was changed since it was read. */
export class E_REVISION extends CodedError {
  static override status = 412
  static override help = 'Read it again, and send the revision that you read.'

  constructor(present: number) {
    super(
      present === 0
        ? 'There is no such memory, so it has no revision.'
        : `The memory has changed: its revision is ${present}.`
    )
  }
}

/** The task is claimed by someone, or already closed. */
export class E_TASK_CLAIMED extends CodedError {
  static override status = 409
  static override message = 'The task is claimed already, or it is over.'
  static override help = 'Take another one, or come back when the claim has expired.'
}

export class E_ARCHIVE_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'The archive has no such conversation.'
  static override help = 'Search the archive: each match names its conversation as "id".'
}

/** The owner's former export has not ended. */
export class E_EXPORT_UNDER_WAY extends CodedError {
  static override status = 429
  static override message = 'You are exporting what is known already.'
  static override help = 'Wait until that export has ended, or cancel it.'
}

/** Too many searches of one owner wait for their turn. */
export class E_TOO_MANY_SEARCHES extends CodedError {
  static override status = 429
  static override message = 'Too many of your searches are under way.'
  static override help = 'Wait for some to end, then search again.'
  readonly retryAfterSec = 5
}

/** The agent's owner has not granted it access to knowledge. */
export class E_KNOWLEDGE_OFF extends CodedError {
  static override status = 403
  static override message = 'The owner of this agent does not share what they know with it.'
  static override help = 'They can allow it under Settings → Knowledge.'
}

/** An operator names a user whose conversations are not archived. */
export class E_NO_ARCHIVE extends Exception {
  static override code = 'E_NO_ARCHIVE'
  static override status = 409
  static override message = 'This user keeps no archive of conversations.'
  static override help = 'Check the name. Users turn their archive on themselves.'
}
