import { ROLES, SIGN_UPS } from '#models/types'
import { SIGN_IN_CHECKS } from '#identity/services/contract'
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

const link = shape({ name: text(), url: text() })

const methods = {
  oidc: nullable(link),
  services: list(link),
  passwords: oneOf(['all', 'breakglass']),
}

/** The sign-in methods, and why the last attempt failed. */
export const signInMethods = shape({ ...methods, failure: nullable(errorEntry) })

/** An invitation, for the invited person. */
export const invitation = shape({ email: text(), name: text(), expiresAt: time(), ...methods })

export const onboarding = shape({ completed: flag(), step: oneOf(ONBOARDING_STEPS) })

/** The result of rules on claims. A null role means no access. */
export const roleDecision = shape({
  role: nullable(oneOf(ROLES)),
  because: oneOf(['no_rule', 'admin_value', 'member_value', 'everyone', 'no_match']),
  found: list(text()),
  notTold: optional(oneOf(['missing', 'overage'])),
})

const trial = shape({ issuer: text(), subject: text(), claims: record(), decision: roleDecision })

const lastTest = nullable(
  either(shape({ ok: only(true), trial }), shape({ ok: only(false), failure: errorEntry }))
)

/** Single sign-on, as an admin sets it up. */
export const oidcSetup = shape({
  issuerUrl: nullable(text()),
  clientId: nullable(text()),
  clientSecret: shape({ set: flag() }),
  name: nullable(text()),
  scopes: text(),
  signUp: oneOf(SIGN_UPS),
  roleClaim: nullable(text()),
  adminValues: list(text()),
  memberValues: list(text()),
  only: flag(),
  tested: flag(),
  inForce: flag(),
  callbackUrl: text(),
  lastTest,
})

export const oidcInspection = shape({
  issuer: text(),
  authorizationEndpoint: text(),
  keys: count(),
  signsOut: flag(),
  url: text(),
})

/** Another sign-in service, as an admin sets it up. */
export const signInService = shape({
  name: text(),
  label: text(),
  registerAt: text(),
  addressField: nullable(
    shape({ label: text(), help: text(), placeholder: text(), required: flag() })
  ),
  unchecked: list(oneOf(SIGN_IN_CHECKS)),
  clientId: nullable(text()),
  clientSecret: shape({ set: flag() }),
  address: nullable(text()),
  signUp: oneOf(SIGN_UPS),
  isProof: flag(),
  isActive: flag(),
  callbackUrl: text(),
  lastTest,
})
