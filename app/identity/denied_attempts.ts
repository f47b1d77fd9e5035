import type { Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import type { Audit, AuditEntry } from '#audit/audit'
import { networkOf } from '#identity/network_of'

/** Refusals of one address that are noted: a person fails a few times, a program as often as it likes. */
const NOTED = { requests: 20, duration: '5 mins' }

/** What strangers were refused, in the audit record. */
export class DeniedAttempts {
  readonly #noted: Limiter

  constructor(
    limiter: LimiterService,
    protected audit: Audit
  ) {
    this.#noted = limiter.use(NOTED)
  }

  /**
   * Notes one. Anybody can be refused as often as they like, and what is noted is kept for good: of one
   * address no more than so many of a kind go into the record.
   */
  async note(refusal: AuditEntry & { address: string }): Promise<void> {
    const { action, address } = refusal
    await this.#noted.attempt(`refused:${action}:${networkOf(address)}`, () =>
      this.audit.record(refusal)
    )
  }
}
