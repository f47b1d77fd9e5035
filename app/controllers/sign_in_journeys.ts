import type { HttpContext } from '@adonisjs/core/http'
import type { Journey, SignInTrial } from '#identity/services/sign_in'
import type { ApiError } from '#exceptions/api_errors'

/** Limit of sign-ins in progress per browser, one per tab. */
const MAX_JOURNEYS = 5

/** A session key each, so that two that begin at once are both kept. Followed by the state. */
const JOURNEY = 'sign_in_journey:'
const STATE = /^[\w-]+$/
const FAILURE = 'sign_in_failure'
const TRIAL = 'sign_in_trial'

/** Result of a test sign-in, for the page it began on. */
export type TrialOutcome = { ok: true; trial: SignInTrial } | { ok: false; failure: ApiError }

type Session = HttpContext['session']

/** Sign-ins in progress and their results, kept in the browser's session. */
export const signInJourneys = {
  remember(session: Session, journey: Journey): void {
    const begun = Object.entries(session.all() as Record<string, Journey>)
      .filter(([name]) => name.startsWith(JOURNEY))
      .map(([name, { startedAt }]) => ({ name, startedAt }))
      .sort((one, other) => other.startedAt - one.startedAt)
    for (const { name } of begun.slice(MAX_JOURNEYS - 1)) session.forget(name)
    session.put(JOURNEY + journey.pending.state, journey)
  },

  /** Returns and removes the journey that began with this state. */
  take(session: Session, state: string | null): Journey | null {
    return state && STATE.test(state) ? session.pull(JOURNEY + state, null) : null
  },

  tellFailure(session: Session, failure: ApiError): void {
    session.put(FAILURE, failure)
  },

  takeFailure(session: Session): ApiError | null {
    return session.pull(FAILURE, null)
  },

  tellTrial(session: Session, service: string, outcome: TrialOutcome): void {
    session.put(TRIAL, { service, outcome })
  },

  /** Kept until the next trial of any service: rules are tested with its claims. */
  lastTrial(session: Session | undefined, service: string): TrialOutcome | null {
    const trial = session?.get(TRIAL, null) as { service: string; outcome: TrialOutcome } | null
    return trial?.service === service ? trial.outcome : null
  },
}
