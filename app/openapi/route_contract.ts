/**
 * What a route takes and answers, said beside the route: the input with the very validator that its
 * controller uses. The description at `/api/v1/openapi.json` is made of it; tests prove that none is
 * missing, and that what is answered is what is said here.
 */
import { Route } from '@adonisjs/core/http'
import type { Constructor } from '@adonisjs/core/types/common'
import type { Answer } from '#openapi/answer'

/** A validator of Vine that can describe itself as JSON Schema, or a description alone. */
export interface Describable {
  toJSONSchema(): object
}

/** What a route says of itself in its `meta`. */
export interface RouteContract {
  body?: Describable
  query?: Describable
  answers?: Answer[]
}

declare module '@adonisjs/core/http' {
  interface Route<Controller extends Constructor<any> = any> {
    /** Says which JSON body the route takes. */
    takes(body: Describable): this
    /** Says which query the route understands. */
    asks(query: Describable): this
    /** Says what it answers when all is well. */
    answers(...answers: Answer[]): this
    /** Kept until the route is stored. */
    contract?: RouteContract
  }
}

/** Adds the macros. Call it once, before any route file is imported. */
export function declareContractMacros(): void {
  Route.macro('takes', function (this: Route, body: Describable) {
    this.contract = { ...this.contract, body }
    return this
  })
  Route.macro('asks', function (this: Route, query: Describable) {
    this.contract = { ...this.contract, query }
    return this
  })
  Route.macro('answers', function (this: Route, ...answers: Answer[]) {
    this.contract = { ...this.contract, answers }
    return this
  })

  const toJSON = Route.prototype.toJSON
  Route.prototype.toJSON = function (this: Route) {
    const json = toJSON.call(this)
    return { ...json, meta: { ...json.meta, ...this.contract } }
  }
}
