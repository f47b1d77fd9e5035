/**
 * A route's input and responses, declared beside the route. The input uses the same validator as the
 * controller. The description at `/api/v1/openapi.json` is generated from it; tests prove that no route lacks
 * one and that responses match it.
 */
import { Route } from '@adonisjs/core/http'
import type { Constructor } from '@adonisjs/core/types/common'
import type { Answer } from '#openapi/answer'

/** A Vine validator that can describe itself as JSON Schema, or a description alone. */
export interface Describable {
  toJSONSchema(): object
}

/** The contract of a route, kept in its `meta`. */
export interface RouteContract {
  body?: Describable
  query?: Describable
  answers?: Answer[]
}

declare module '@adonisjs/core/http' {
  interface Route<Controller extends Constructor<any> = any> {
    /** Declares the JSON body. */
    takes(body: Describable): this
    /** Declares the query. */
    asks(query: Describable): this
    /** Declares the successful responses. */
    answers(...answers: Answer[]): this
    /** Held until the route is stored. */
    contract?: RouteContract
  }
}

/** Adds the macros. Call it once, before importing any route file. */
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
