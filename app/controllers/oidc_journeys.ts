import type { HttpContext } from '@adonisjs/core/http'
import type { Journey, OidcTrial } from '#identity/oidc/sign_in'
import type { ApiError } from '#exceptions/api_errors'

/** Tabs in which someone may be on the way to the provider at the same time. */
const MAX_JOURNEYS = 5

const JOURNEYS = 'oidc_journeys'
const FAILURE = 'sign_in_failure'
const TRIAL = 'oidc_trial'

/** How a test sign-in ended, for the page it began on. */
export type TrialOutcome = { ok: true; trial: OidcTrial } | { ok: false; failure: ApiError }

type Session = HttpContext['session']

/** Who is on the way to the provider, and how it ended: kept in the browser's own session. */
export const oidcJourneys = {
  remember(session: Session, journey: Journey): void {
    const journeys = session.get(JOURNEYS, []) as Journey[]
    session.put(JOURNEYS, [...journeys, journey].slice(-MAX_JOURNEYS))
  },

  /** The journey that began with this state. It is over by that, whatever comes of it. */
  take(session: Session, state: unknown): Journey | null {
    const journeys = session.get(JOURNEYS, []) as Journey[]
    const found = journeys.find(({ pending }) => pending.state === state) ?? null
    session.put(
      JOURNEYS,
      journeys.filter((journey) => journey !== found)
    )
    return found
  },

  tellFailure(session: Session, failure: ApiError): void {
    session.put(FAILURE, failure)
  },

  takeFailure(session: Session): ApiError | null {
    return session.pull(FAILURE, null)
  },

  tellTrial(session: Session, outcome: TrialOutcome): void {
    session.put(TRIAL, outcome)
  },

  /** Kept until the next one: rules are tried out with its claims. */
  lastTrial(session: Session | undefined): TrialOutcome | null {
    return session?.get(TRIAL, null) ?? null
  },
}
