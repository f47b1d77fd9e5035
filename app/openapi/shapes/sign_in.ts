import { ROLES } from '#models/types'
import { ONBOARDING_STEPS } from '#onboarding/onboarding'
import {
  count,
  either,
  flag,
  list,
  nullable,
  only,
  optional,
  oneOf,
  record,
  shape,
  text,
  time,
} from '#openapi/answer'
import { errorEntry } from '#openapi/shapes/errors'

const methods = {
  oidc: nullable(shape({ name: text(), url: text() })),
  passwords: oneOf(['all', 'breakglass']),
}

/** How one may sign in here, and why the last attempt did not lead there. */
export const signInMethods = shape({ ...methods, failure: nullable(errorEntry) })

/** What someone who was invited sees. */
export const invitation = shape({ email: text(), name: text(), expiresAt: time(), ...methods })

export const onboarding = shape({ completed: flag(), step: oneOf(ONBOARDING_STEPS) })

/** What rules make of claims. A role of null is nobody of this installation. */
export const roleDecision = shape({
  role: nullable(oneOf(ROLES)),
  because: oneOf(['no_rule', 'admin_value', 'member_value', 'everyone', 'no_match']),
  found: list(text()),
  notTold: optional(oneOf(['missing', 'overage'])),
})

const trial = shape({ issuer: text(), subject: text(), claims: record(), decision: roleDecision })

/** Single sign-on as an admin sets it up. */
export const oidcSetup = shape({
  issuerUrl: nullable(text()),
  clientId: nullable(text()),
  clientSecret: shape({ set: flag() }),
  name: nullable(text()),
  scopes: text(),
  signUp: oneOf(['anyone', 'invited']),
  roleClaim: nullable(text()),
  adminValues: list(text()),
  memberValues: list(text()),
  only: flag(),
  tested: flag(),
  inForce: flag(),
  callbackUrl: text(),
  lastTest: nullable(
    either(shape({ ok: only(true), trial }), shape({ ok: only(false), failure: errorEntry }))
  ),
})

export const oidcInspection = shape({
  issuer: text(),
  authorizationEndpoint: text(),
  keys: count(),
  signsOut: flag(),
  url: text(),
})
