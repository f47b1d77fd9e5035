import type { Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import type { Audit, AuditEntry } from '#audit/audit'
import { networkOf } from '#identity/network_of'

/** Recorded denials per address: a person fails a few times, a program endlessly. */
const NOTED = { requests: 20, duration: '5 mins' }

/** Records denied attempts by strangers in the audit record. */
export class DeniedAttempts {
  readonly #noted: Limiter

  constructor(
    limiter: LimiterService,
    protected audit: Audit
  ) {
    this.#noted = limiter.use(NOTED)
  }

  /**
   * Records one denial. Anyone can cause denials without limit and the record is kept for good, so each address
   * has a limit per kind.
   */
  async note(refusal: AuditEntry & { address: string }): Promise<void> {
    const { action, address } = refusal
    await this.#noted.attempt(`refused:${action}:${networkOf(address)}`, () =>
      this.audit.record(refusal)
    )
  }
}
