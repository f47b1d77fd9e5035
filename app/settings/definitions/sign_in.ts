import vine from '@vinejs/vine'
import { setting, signInSetting } from '#settings/setting_kinds'
import { text, whole } from '#settings/definitions/rules'

const claimValues = () => vine.array(vine.string().trim().minLength(1).maxLength(255)).maxLength(64)

/** How people sign in, and the mail that brings invitations. */
export const SIGN_IN_DEFINITIONS = {
  'oidc.issuerUrl': signInSetting<string | null>({ default: null, schema: text() }),
  'oidc.clientId': signInSetting<string | null>({ default: null, schema: text() }),
  'oidc.clientSecret': signInSetting<string | null>({
    default: null,
    secret: true,
    schema: text(),
  }),
  /** The provider's name on the sign-in page. Default: the issuer's host. */
  'oidc.name': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(64).nullable(),
  }),
  'oidc.scopes': signInSetting<string>({
    default: 'openid profile email',
    schema: vine
      .string()
      .trim()
      .regex(/^openid( [\x21\x23-\x5B\x5D-\x7E]+)*$/)
      .maxLength(512),
  }),
  /** Who may sign in for the first time: anyone the provider lets in, or only invited people. */
  'oidc.signUp': signInSetting<'anyone' | 'invited'>({
    default: 'anyone',
    schema: vine.enum(['anyone', 'invited'] as const),
  }),
  /** The claim that assigns roles; without one, admins assign them in Mosaic. */
  'oidc.roleClaim': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(255).nullable(),
  }),
  'oidc.adminValues': signInSetting<string[]>({ default: [], schema: claimValues() }),
  /** If empty, everyone who is not an admin is a member. */
  'oidc.memberValues': signInSetting<string[]>({ default: [], schema: claimValues() }),
  /** Refuses passwords other than local admin accounts'. Applies while the settings are tested. */
  'oidc.only': signInSetting<boolean>({ default: false, schema: vine.boolean({ strict: true }) }),
  /** The fingerprint of the settings of the last successful test sign-in. */
  'oidc.tested': setting<string | null>({ default: null, internal: true, schema: text() }),

  /** Hours without a request until a session ends. Its row and cookie last a week. */
  'sessions.idleHours': signInSetting<number>({ default: 168, schema: whole(1, 168) }),
  /** Hours from sign-in until a session ends in any case. */
  'sessions.lifetimeHours': signInSetting<number>({ default: 720, schema: whole(1, 8760) }),

  /** The SMTP server for mail; without one, invitations are links to copy. */
  'mail.host': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i)
      .maxLength(255)
      .nullable(),
  }),
  'mail.port': signInSetting<number>({ default: 587, schema: whole(1, 65_535) }),
  /** Connection security: STARTTLS, TLS from the start, or none. */
  'mail.security': signInSetting<'starttls' | 'tls' | 'none'>({
    default: 'starttls',
    schema: vine.enum(['starttls', 'tls', 'none'] as const),
  }),
  'mail.username': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(255).nullable(),
  }),
  'mail.password': signInSetting<string | null>({
    default: null,
    secret: true,
    schema: vine.string().maxLength(1024).nullable(),
  }),
  /** Sender address of mail. */
  'mail.from': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^[^\s@<>"]+@[^\s@<>"]+$/)
      .maxLength(255)
      .nullable(),
  }),
}
