import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { parseJson } from '#bounded/json'
import type { MemoryView, RequiredRevision } from '#knowledge/memory'
import { refuseFields } from '#settings/field_errors'
import {
  KEY_LENGTH,
  memoriesValidator,
  memoryKeyValidator,
  memoryValidator,
} from '#validators/knowledge'

/** `/api/v1/agent/memory`: the key-value memories of the caller's agent. */
export default class MemoriesController {
  async index({ auth, request }: HttpContext) {
    const query = await memoriesValidator.validate(request.qs())
    return (await this.#memories()).list(auth.user!.id, query)
  }

  async show({ auth, params, request, response }: HttpContext) {
    const { namespace } = await memoryKeyValidator.validate(request.qs())
    const memories = await this.#memories()
    const found = await memories.find(auth.user!.id, { namespace, key: params.key })
    return tagged(response, found)
  }

  /** Accepts the namespace and the revision in the query or in the body, as `destroy` does, and `If-Match`. */
  async update({ auth, params, request, response }: HttpContext) {
    const asked = await memoryKeyValidator.validate(request.qs())
    const { key } = params
    if (key.length > KEY_LENGTH) {
      refuseFields([{ field: 'key', message: `A key has at most ${KEY_LENGTH} characters.` }])
    }
    const { namespace = asked.namespace, ...given } = await request.validateUsing(memoryValidator)
    const revision = ifMatch(request) ?? given.revision ?? asked.revision
    const input = { ...given, revision, value: sentValue(request) }
    const memories = await this.#memories()
    return tagged(response, await memories.put(auth.user!.id, { namespace, key }, input))
  }

  async destroy({ auth, params, request, response }: HttpContext) {
    const asked = await memoryKeyValidator.validate(request.qs())
    const { namespace = asked.namespace, ...given } = await memoryKeyValidator.validate(
      request.body()
    )
    const revision = ifMatch(request) ?? given.revision ?? asked.revision
    const memories = await this.#memories()
    await memories.delete(auth.user!.id, { namespace, key: params.key }, revision)
    return response.noContent()
  }

  #memories() {
    return app.container.make('knowledge.memories')
  }
}

/** Answers with a memory, whose revision is its entity tag. */
function tagged(response: HttpContext['response'], data: MemoryView) {
  response.header('ETag', `"${data.revision}"`)
  return { data }
}

/** Fits no memory: revisions begin at 1. */
const NO_REVISION = -1

/**
 * Returns the revision that `If-Match` requires, or undefined without this header. A list of tags fits nothing;
 * compressing proxies weaken a tag.
 */
function ifMatch(request: HttpContext['request']): RequiredRevision | undefined {
  const tag = request.header('if-match')?.trim()
  if (tag === undefined || tag === '*') return tag
  const [, revision] = /^(?:W\/)?"(\d{1,9})"$/.exec(tag) ?? []
  return revision === undefined ? NO_REVISION : Number(revision)
}

/**
 * Returns the value as it was sent: the body parser turns empty texts into null.
 *
 * @throws E_VALIDATION_ERROR for a value that is nested too deeply
 */
function sentValue(request: HttpContext['request']): unknown {
  const body = request.raw()
  if (!body) return request.input('value')
  try {
    return (parseJson(body) as { value: unknown }).value
  } catch (error) {
    refuseFields([{ field: 'value', message: (error as SyntaxError).message }])
  }
}
