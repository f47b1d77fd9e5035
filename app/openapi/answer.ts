/**
 * Vocabulary in which a route describes its responses: see `#openapi/route_contract`. Each shape is written
 * once. From it TypeBox derives the JSON Schema of the OpenAPI document, which tests check every response
 * against, and the pages' type: `Static<typeof shape>`.
 */
import { Type, type TProperties, type TSchema, type TUnsafe, type Static } from 'typebox'

/** A successful response of a route. */
export interface Answer {
  status: number
  /** Omitted if there is no body. */
  content?: { type: string; schema?: TSchema }
}

const JSON_TYPE = 'application/json'

/** An object with these properties, and possibly others. */
export const object = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties)

/** An object with exactly these properties: responses contain nothing undescribed. */
export const shape = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false })

export const text = () => Type.String()
export const flag = () => Type.Boolean()
export const number = () => Type.Number()
export const count = () => Type.Integer({ minimum: 0 })
/** ISO 8601 in UTC. */
export const time = () => Type.String({ format: 'date-time' })
/** A day in UTC. */
export const day = () => Type.String({ format: 'date' })
export const nullable = <Schema extends TSchema>(schema: Schema) => either(schema, Type.Null())
export const list = <Schema extends TSchema>(items: Schema, options: { minItems?: number } = {}) =>
  Type.Array(items, options)
export const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)
export const either = <Schemas extends TSchema[]>(...schemas: [...Schemas]) => Type.Union(schemas)
export const only = <Value extends string | boolean>(value: Value) => Type.Literal(value)
export const oneOf = <Values extends string[]>(values: readonly [...Values]) => Type.Enum(values)
export const anything = <Value = unknown>(): TUnsafe<Value> => Type.Unsafe<Value>({})
/** Keyed by names that are not known in advance. */
export const record = <Schema extends TSchema = TUnsafe<unknown>>(schema?: Schema) =>
  Type.Unsafe<Record<string, Static<Schema>>>({
    type: 'object',
    additionalProperties: schema ?? {},
  })

/** `{ data }`: a single item. */
export const one = (schema: TSchema, status = 200): Answer => json(shape({ data: schema }), status)

export const listMeta = shape({
  total: count(),
  page: count(),
  limit: count(),
  totalPages: count(),
})

/** `{ data, meta }`: one page of a list. */
export const page = (schema: TSchema): Answer => json(shape({ data: list(schema), meta: listMeta }))

/** Meta of a sealed list: so many rows of the page are left out, because the key that sealed them is lost. */
export const sealedListMeta = shape({ ...listMeta.properties, unreadable: optional(count()) })

/** As `page`, for rows under a data key. */
export const sealedPage = (schema: TSchema): Answer =>
  json(shape({ data: list(schema), meta: sealedListMeta }))

/** JSON without the API's envelope. */
export const json = (schema: TSchema, status = 200): Answer => ({
  status,
  content: { type: JSON_TYPE, schema },
})

export const nothing: Answer = { status: 204 }

/** Server-sent events: `docs/api.md` describes their names and data. */
export const events: Answer = { status: 200, content: { type: 'text/event-stream' } }

/** Returns whether a response may stay open for long. */
export const staysOpen = (answers: Answer[] = []) => answers.includes(events)

export const file = (type: string): Answer => ({ status: 200, content: { type } })
