import { BaseTransformer } from '@adonisjs/core/transformers'
import type User from '#models/user'
import type { SignInMethod } from '#identity/sessions'

/** The signed-in user, as they see themselves. */
export default class MeTransformer extends BaseTransformer<User> {
  constructor(
    user: User,
    protected signedInWith: SignInMethod | 'token'
  ) {
    super(user)
  }

  toObject() {
    return {
      ...this.pick(this.resource, ['id', 'name', 'email', 'image', 'role']),
      email: this.resource.email ?? null,
      image: this.resource.image ?? null,
      signedInWith: this.signedInWith,
    }
  }
}
