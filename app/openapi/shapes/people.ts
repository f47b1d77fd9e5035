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

/** A user, with counts of what they own. */
export const adminUserDetails = shape({
  ...user,
  lastSignInAt: nullable(time()),
  identityProvider: nullable(text()),
  inviterName: nullable(text()),
  invitationExpiresAt: nullable(time()),
  sessions: count(),
  tokens: count(),
})

/** The only response that contains an invitation's link. */
export const invitedUser = shape({
  ...user,
  /** `mail` is null if mail is not set up. */
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

/** The signed-in user, and the next page. */
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
  /** `*` on tokens of earlier versions. */
  abilities: list(oneOf([...TOKEN_ABILITIES, '*'])),
  /** Whether `user` in a request under `/v1` names a conversation. */
  userNamesConversation: flag(),
  createdAt: time(),
  lastUsedAt: nullable(time()),
  expiresAt: nullable(time()),
}

export const accessToken = shape(token)

/** The only response that contains the token itself. */
export const newAccessToken = shape({ ...token, token: text() })
