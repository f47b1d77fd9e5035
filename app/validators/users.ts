import vine from '@vinejs/vine'
import { ROLES } from '#models/types'
import { USER_STATES } from '#identity/user_directory'
import { emptied } from '#validators/emptied'
import { newPassword } from '#validators/identity'
import { pageFields } from '#validators/page_fields'
import { wellFormedRule } from '#validators/well_formed_rule'

const name = () => vine.string().trim().minLength(1).maxLength(255)
const role = () => vine.enum(ROLES)

/** Filter of the user list. */
export const usersQueryValidator = vine.create({
  ...pageFields(),
  search: vine.string().trim().maxLength(255).optional(),
  role: role().optional(),
  state: vine.enum(USER_STATES).optional(),
})

export const inviteValidator = vine.create({
  email: vine.string().trim().toLowerCase().use(wellFormedRule()).email().maxLength(255),
  name: name().optional(),
  role: role().optional(),
})

export const userChangesValidator = vine.create({
  name: name().optional().requiredWhen(emptied),
  role: role().optional().requiredWhen(emptied),
})

/** An invited person's choices. */
export const acceptInvitationValidator = vine.create({
  name: name().optional(),
  password: newPassword(),
})
