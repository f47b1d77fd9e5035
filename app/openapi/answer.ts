/** The words in which a route says what it answers: see `#openapi/route_contract`. */
import Type, { type TProperties, type TSchema } from 'typebox'

/** One way in which a route answers that it is done. */
export interface Answer {
  status: number
  /** Left out where there is no body. */
  content?: { type: string; schema?: TSchema }
}

const JSON_TYPE = 'application/json'

/** An object with these properties and no others: what is not described is not told. */
export const shape = (properties: TProperties) =>
  Type.Object(properties, { additionalProperties: false })

export const text = () => Type.String()
export const flag = () => Type.Boolean()
export const count = () => Type.Integer({ minimum: 0 })
/** ISO 8601 in UTC. */
export const time = () => Type.String({ format: 'date-time' })
/** A day in UTC. */
export const day = () => Type.String({ format: 'date' })
export const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()])
export const list = (schema: TSchema) => Type.Array(schema)
export const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema)
export const either = (...schemas: TSchema[]) => Type.Union(schemas)
export const only = (value: string | boolean) => Type.Literal(value)
export const oneOf = (values: readonly string[]) => Type.Enum([...values])
/** By names that are not known beforehand. */
export const record = (schema: TSchema = Type.Unknown()) => Type.Record(Type.String(), schema)
export const anything = () => Type.Unknown()

/** `{ data }`: one thing. */
export const one = (schema: TSchema, status = 200): Answer => json(shape({ data: schema }), status)

/** `{ data, meta }`: a page of a list. */
export const page = (schema: TSchema): Answer =>
  json(
    shape({
      data: list(schema),
      meta: shape({ total: count(), page: count(), limit: count(), totalPages: count() }),
    })
  )

/** JSON without the API's envelope. */
export const json = (schema: TSchema, status = 200): Answer => ({
  status,
  content: { type: JSON_TYPE, schema },
})

export const nothing: Answer = { status: 204 }

/** Server-sent events: what they are called and hold is in `docs/api.md`. */
export const events: Answer = { status: 200, content: { type: 'text/event-stream' } }

/** Whether an answer may stay open for long. */
export const staysOpen = (answers: Answer[] = []) => answers.includes(events)

export const file = (type: string): Answer => ({ status: 200, content: { type } })
