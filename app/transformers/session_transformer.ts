import { BaseTransformer } from '@adonisjs/core/transformers'
import type { ListedSession } from '#identity/sessions'

/** A browser in which the user is signed in. */
export default class SessionTransformer extends BaseTransformer<ListedSession> {
  toObject() {
    const { id, isCurrent, method, agent, address, startedAt, lastUsedAt } = this.resource
    return {
      id,
      isCurrent,
      method,
      agent,
      address,
      startedAt: new Date(startedAt).toISOString(),
      lastUsedAt: new Date(lastUsedAt).toISOString(),
    }
  }
}
