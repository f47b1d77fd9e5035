import type { Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import type User from '#models/user'
import type { Audit } from '#audit/audit'
import { networkOf } from '#identity/network_of'
import type { E_OIDC_REFUSED } from '#identity/oidc/errors'
import type { Purpose } from '#identity/oidc/sign_in'

/** Refusals of one address that are noted: a person fails a few times, a program as often as it likes. */
const NOTED = { requests: 20, duration: '5 mins' }

/** Who was refused, and what they were about. */
interface Refused {
  actor: User | null
  purpose: Purpose | null
  address: string
}

/** Sign-ins with the provider that led nowhere, in the audit record. */
export class RefusedSignIns {
  readonly #noted: Limiter

  constructor(
    limiter: LimiterService,
    protected audit: Audit
  ) {
    this.#noted = limiter.use(NOTED)
  }

  /**
   * Notes one. Anybody can be refused as often as they like, and what is noted is kept for good: of one
   * address no more than so many go into the record.
   */
  async note({ reason }: E_OIDC_REFUSED, { actor, purpose, address }: Refused): Promise<void> {
    await this.#noted.attempt(`oidc_refused:${networkOf(address)}`, () =>
      this.audit.record({
        actor,
        action: 'session.refused',
        details: { method: 'oidc', reason, purpose: purpose?.kind ?? null },
        address,
      })
    )
  }
}
