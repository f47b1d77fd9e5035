import { compose } from '@adonisjs/core/helpers'
import { column } from '@adonisjs/lucid/orm'
import { SignInServiceSchema } from '#database/schema'
import { Sealed } from '#models/sealed'
import type { SignUp } from '#models/types'
import { WithCuid } from '#models/with_cuid'

/** A sign-in service as an admin has set it up; the client secret is sealed. */
export default class SignInService extends compose(SignInServiceSchema, WithCuid, Sealed) {
  @column()
  declare signUp: SignUp
}
