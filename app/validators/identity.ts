import { DateTime } from 'luxon'
import vine from '@vinejs/vine'
import { TOKEN_ABILITIES } from '#identity/access_tokens'
import { futureTimeRule } from '#validators/future_time_rule'
import { pageFields } from '#validators/page_fields'
import { passwordRule } from '#validators/password_rule'

/** Usernames of local accounts: lower case, so that no two differ by case alone. */
export const username = () =>
  vine
    .string()
    .trim()
    .toLowerCase()
    .minLength(2)
    .maxLength(64)
    .regex(/^[a-z0-9][a-z0-9._@-]*$/)

export const newPassword = () => vine.string().use(passwordRule())

export const breakglassValidator = vine.create({ username: username(), password: newPassword() })

/** Sign-in applies no password rule: it only compares. */
export const signInValidator = vine.create({
  username: vine.string().trim().toLowerCase().maxLength(255),
  password: vine.string().maxLength(1024),
})

/** The password of the signed-in user. */
export const confirmValidator = vine.create({ password: vine.string().maxLength(1024) })

/** A new access token. `abilities` defaults to all; without `expiresAt` it does not expire. */
export const accessTokenValidator = vine.create({
  name: vine.string().trim().minLength(1).maxLength(100),
  abilities: vine.array(vine.enum(TOKEN_ABILITIES)).minLength(1).distinct().optional(),
  userNamesConversation: vine.boolean({ strict: true }).optional(),
  expiresAt: vine
    .string()
    .use(futureTimeRule())
    /** Called for null as well. */
    .transform((value: string | null) =>
      value === null ? null : DateTime.fromISO(value, { zone: 'utc' })
    )
    .nullable()
    .optional(),
})

/** The requested page of a list: `?page=1&limit=50`. */
export const pageValidator = vine.create(pageFields())
