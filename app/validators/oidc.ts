import vine from '@vinejs/vine'
import { webAddress } from '#settings/web_address'

/** A local path: `//`, or a slash and a backslash, would lead to another site. */
const localPath = () =>
  vine
    .string()
    .regex(/^\/(?![/\\])[^\s\\]*$/)
    .maxLength(2048)

export const localPathValidator = vine.create({ back: localPath().optional() })

/** The token in an invitation link. */
export const invitationToken = () => vine.string().regex(/^[\w-]{1,128}$/)

export const invitationTokenValidator = vine.create({ invitation: invitationToken().optional() })

const values = () => vine.array(vine.string().trim().minLength(1).maxLength(255)).maxLength(64)

/** Rules, and claims to test them with. */
export const roleTrialValidator = vine.create({
  claim: vine.string().trim().maxLength(255).nullable(),
  adminValues: values(),
  memberValues: values(),
  claims: vine.object({}).allowUnknownProperties(),
})

const issuerUrl = () => vine.string().trim().use(webAddress({})).maxLength(2048)

/** The provider as an admin enters it. An omitted secret stays unchanged. */
export const oidcClientValidator = vine.create({
  issuerUrl: issuerUrl(),
  clientId: vine.string().trim().minLength(1).maxLength(512),
  clientSecret: vine.string().trim().minLength(1).maxLength(2048).optional(),
  name: vine.string().trim().maxLength(64).nullable().optional(),
  scopes: vine
    .string()
    .trim()
    .regex(/^openid( [\x21\x23-\x5B\x5D-\x7E]+)*$/)
    .maxLength(512)
    .optional(),
})
