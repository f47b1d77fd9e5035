import type { RouteJSON } from '@adonisjs/core/types/http'
import { abilityFor, type RouteSecurity } from '#identity/access_rules'
import { proofFor } from '#identity/permissions'
import type { Answer } from '#openapi/answer'
import type { RouteContract } from '#openapi/route_contract'
import { anthropicError, apiError, openAiError } from '#openapi/shapes/errors'

const VERSION = '3.1.0'

/** Routes for programs; pages and the sign-in redirects are for browsers. */
const DESCRIBED = /^\/(api\/v1|v1)(\/|$)/

interface ObjectSchema {
  properties?: Record<string, object>
  required?: string[]
}

/**
 * Generates the API's OpenAPI 3.1 document from the router's own list, so it covers exactly the existing
 * routes.
 */
export function openApiDocument(routes: RouteJSON[], version: string) {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes.filter(({ pattern }) => DESCRIBED.test(pattern))) {
    const path = route.pattern.replace(/:(\w+)\??/g, '{$1}').replace('*', '{rest}')
    for (const method of route.methods.filter((name) => name !== 'HEAD')) {
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route, method, path) }
    }
  }
  return {
    openapi: VERSION,
    info: { title: 'Mosaic', version },
    paths,
    components: {
      schemas: { Error: apiError, OpenAiError: openAiError, AnthropicError: anthropicError },
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'mosaic_session' },
      },
    },
  }
}

function operation(route: RouteJSON, method: string, path: string) {
  const {
    access,
    permission,
    body,
    query,
    answers = [],
    ...rest
  }: RouteSecurity & RouteContract = route.meta
  const open = access === 'anyone' || access === 'onboarding'
  const token = { accessToken: [abilityFor(rest, method)] }
  const session = { session: [] }
  const people =
    permission && proofFor(permission) === 'freshSession' ? [session] : [token, session]
  return {
    operationId: `${method.toLowerCase()}.${route.name ?? path}`,
    tags: [path.split('/')[path.startsWith('/api/') ? 3 : 2]],
    security: open ? [] : access === 'token' ? [token] : people,
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body && {
      requestBody: { content: { 'application/json': { schema: body.toJSONSchema() } } },
    }),
    responses: {
      ...doneResponses(answers),
      default: {
        description: 'What went wrong, and what to do.',
        content: { 'application/json': { schema: errorOf(path) } },
      },
    },
  }
}

/** Grouped by status; a route may answer one status in several formats. */
function doneResponses(answers: Answer[]): Record<number, object> {
  const responses: Record<number, { description: string; content?: Record<string, object> }> = {}
  for (const { status, content } of answers) {
    const response = (responses[status] ??= { description: 'Done.' })
    if (!content) continue
    const { type, schema } = content
    response.content = { ...response.content, [type]: schema ? { schema } : {} }
  }
  return responses
}

function errorOf(path: string) {
  const inV1 = path.startsWith('/v1/messages') ? 'AnthropicError' : 'OpenAiError'
  return { $ref: `#/components/schemas/${path.startsWith('/v1/') ? inV1 : 'Error'}` }
}

function pathParameters(path: string) {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: RouteContract['query']) {
  const { properties = {}, required = [] } = (query?.toJSONSchema() ?? {}) as ObjectSchema
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}
