import { TOKEN_ABILITIES } from '#identity/access_tokens'
import { AGENT_STATUSES, ROLES } from '#models/types'
import { delivery } from '#openapi/shapes/mail'
import { count, flag, list, nullable, oneOf, shape, text, time } from '#openapi/answer'

const user = {
  id: text(),
  name: nullable(text()),
  email: nullable(text()),
  emailVerified: flag(),
  image: nullable(text()),
  role: oneOf(ROLES),
  isLocalAuth: flag(),
  createdAt: time(),
  deactivatedAt: nullable(time()),
  invitedAt: nullable(time()),
  invitedBy: nullable(text()),
  isInvited: flag(),
  agentStatus: oneOf(AGENT_STATUSES),
}

/** A user in the admin's list. */
export const adminUser = shape(user)

/** One user, with numbers of what is theirs. */
export const adminUserDetails = shape({
  ...user,
  lastSignInAt: nullable(time()),
  identityProvider: nullable(text()),
  inviterName: nullable(text()),
  invitationExpiresAt: nullable(time()),
  sessions: count(),
  tokens: count(),
})

/** The only answer that holds an invitation's link. */
export const invitedUser = shape({
  ...user,
  /** `mail` is null where mail is not set up. */
  invitation: shape({ url: text(), expiresAt: time(), mail: nullable(delivery) }),
})

const self = {
  id: text(),
  name: nullable(text()),
  email: nullable(text()),
  image: nullable(text()),
  role: oneOf(ROLES),
  /** `breakglass`, `password`, `token`, `oidc`, or the name of another service. */
  signedInWith: text(),
}

export const me = shape(self)

/** The signed-in user, and the page to go on with. */
export const arrival = shape({ ...self, redirectTo: text() })

export const departure = shape({ redirectTo: text() })

export const session = shape({
  id: text(),
  isCurrent: flag(),
  method: text(),
  agent: nullable(text()),
  address: text(),
  startedAt: time(),
  lastUsedAt: time(),
})

const token = {
  id: text(),
  name: nullable(text()),
  /** `*` on those that earlier versions made. */
  abilities: list(oneOf([...TOKEN_ABILITIES, '*'])),
  createdAt: time(),
  lastUsedAt: nullable(time()),
  expiresAt: nullable(time()),
}

export const accessToken = shape(token)

/** The only answer that holds the token itself. */
export const newAccessToken = shape({ ...token, token: text() })
