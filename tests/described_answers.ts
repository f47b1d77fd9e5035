import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import router from '@adonisjs/core/services/router'
import { Compile } from 'typebox/compile'
import { openApiDocument } from '#openapi/document'

interface Described {
  responses: Record<string, { content?: Record<string, { schema?: object }> }>
}

interface Operation extends Described {
  method: string
  path: RegExp
  /** Parts of the path that are given: of two that fit, the one with more of them is meant. */
  fixed: number
  name: string
}

/** What left the server. */
interface Told {
  status: number
  /** The media type, without its parameters. */
  type: string
  body: Buffer
}

/** Holds every answer of the API, as it leaves, against its description. */
export class DescribedAnswers {
  #operations: Operation[] | null = null
  #components: object = {}
  readonly #checks = new Map<object, (body: unknown) => string | null>()
  #wrong: string[] = []

  /** Looks at all that this server answers from now on. */
  watch(server: Server): Server {
    return server.prependListener('request', (request, response) => this.#watch(request, response))
  }

  /** What was not as described since the last call. */
  take(): string[] {
    const wrong = this.#wrong
    this.#wrong = []
    return wrong
  }

  #watch({ method = '', url = '' }: IncomingMessage, response: ServerResponse): void {
    if (!/^\/(api\/)?v1\//.test(url) || method === 'HEAD') return
    const chunks: Buffer[] = []
    const { write, end, writeHead } = response
    let type = ''
    const keep = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
    }
    response.writeHead = ((...given: Parameters<typeof writeHead>) => {
      const headers = given.at(-1)
      if (typeof headers === 'object') {
        type = new Headers(headers as Record<string, string>).get('content-type') ?? ''
      }
      return writeHead.apply(response, given)
    }) as typeof writeHead
    response.write = ((...given: Parameters<typeof write>) => {
      keep(given[0])
      return write.apply(response, given)
    }) as typeof write
    response.end = ((...given: Parameters<typeof end>) => {
      keep(given[0])
      type ||= String(response.getHeader('content-type') ?? '')
      const answer = { status: response.statusCode, type: type.split(';')[0] }
      /** Nothing leaves for a client that has left. */
      if (!response.destroyed) {
        this.#judge(method, url.split('?')[0], { ...answer, body: Buffer.concat(chunks) })
      }
      return end.apply(response, given)
    }) as typeof end
  }

  #judge(method: string, path: string, { status, type, body }: Told): void {
    const operation = this.#find(method, path)
    if (!operation || status === 304) return
    const wrong = this.#wrongOf(operation, { status, type, body })
    if (wrong) this.#wrong.push(`${method} ${operation.name} → ${status}: ${wrong}`)
  }

  #wrongOf({ responses }: Operation, { status, type, body }: Told): string | null {
    const described = responses[status] ?? (status < 400 ? null : responses.default)
    if (!described) return 'a status that is not described'
    if (!described.content) return body.length > 0 ? 'a body that is not described' : null
    const content = described.content[type]
    if (!content) return `${type || 'no type'} is not described`
    return content.schema ? this.#check(content.schema)(JSON.parse(body.toString())) : null
  }

  #find(method: string, path: string): Operation | undefined {
    this.#operations ??= this.#read()
    return this.#operations
      .filter((operation) => operation.method === method && operation.path.test(path))
      .sort((one, other) => other.fixed - one.fixed)[0]
  }

  #read(): Operation[] {
    const { paths, components } = openApiDocument(Object.values(router.toJSON()).flat(), '0')
    this.#components = components
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        ...(operation as Described),
        method: method.toUpperCase(),
        path: new RegExp(`^${path.replace('{rest}', '.+').replace(/\{\w+\}/g, '[^/]+')}/?$`),
        fixed: path.split('/').filter((part) => !part.startsWith('{')).length,
        name: path,
      }))
    )
  }

  #check(schema: object): (body: unknown) => string | null {
    const known = this.#checks.get(schema)
    if (known) return known
    const validator = Compile({ ...schema, components: this.#components })
    const check = (body: unknown) => {
      if (validator.Check(body)) return null
      return validator
        .Errors(body)
        .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
        .join('; ')
    }
    this.#checks.set(schema, check)
    return check
  }
}
