import { readFileSync } from 'node:fs'
import app from '@adonisjs/core/services/app'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import BaseInertiaMiddleware from '@adonisjs/inertia/inertia_middleware'
import { firstCharacter } from '#text/cut'
import { permissionsOf } from '#identity/permissions'
import type User from '#models/user'

/** Mosaic's version, for the pages. */
const { version } = JSON.parse(readFileSync(app.makePath('package.json'), 'utf8')) as {
  version: string
}

/** The signed-in user for every page: the same as `GET /api/v1/me`. */
function toPageUser(user: User) {
  const name = user.name ?? user.email ?? ''
  return {
    id: user.id,
    name,
    email: user.email ?? null,
    role: user.role,
    initials: initialsOf(name),
  }
}

/** Returns the initials of the first and the last word. */
function initialsOf(name: string): string {
  const words = name.split(/[\s@._-]+/).filter(Boolean)
  const chosen = words.length > 1 ? [words[0], words[words.length - 1]] : words
  return chosen.map((word) => firstCharacter(word).toUpperCase()).join('')
}

export default class InertiaMiddleware extends BaseInertiaMiddleware {
  /** An error page may be rendered before the session and the user are loaded. */
  share(ctx: HttpContext) {
    const { session, auth } = ctx as Partial<HttpContext>
    return {
      errors: ctx.inertia.always(this.getValidationErrors(ctx)),
      flash: ctx.inertia.always({
        success: session?.flashMessages.get('success') as string | undefined,
        error: session?.flashMessages.get('error') as string | undefined,
      }),
      can: ctx.inertia.always(permissionsOf(auth?.user)),
      user: ctx.inertia.always(auth?.user ? toPageUser(auth.user) : null),
      version,
    }
  }

  async handle(ctx: HttpContext, next: NextFn) {
    await this.init(ctx)
    const output = await next()
    this.dispose(ctx)
    return output
  }
}

declare module '@adonisjs/inertia/types' {
  type MiddlewareSharedProps = InferSharedProps<InertiaMiddleware>
  export interface SharedProps extends MiddlewareSharedProps {}
}
