import { ref } from 'vue'
import { createParser } from 'eventsource-parser'
import type { ApiError, Listed } from '~/api/shapes'
import { askForConfirmation } from '~/composables/use_confirmation'
import { t } from '~/locales'

/** True once the API has reported that the session ended; the frame then offers to sign in again. */
export const sessionEnded = ref(false)

/** A refusal by the API, or `status` 0 if it is unreachable. Its texts are meant for people. */
export class ApiFailure extends Error {
  readonly status: number
  readonly errors: ApiError[]
  readonly retryAfterSec: number | null

  constructor(status: number, errors: ApiError[], retryAfterSec: number | null = null) {
    super(errors[0]?.message ?? t('failure.unexpected'))
    this.status = status
    this.errors = errors.length ? errors : [{ code: 'E_UNKNOWN', message: this.message }]
    this.retryAfterSec = retryAfterSec
  }

  get code() {
    return this.errors[0].code
  }

  get hint() {
    return this.errors[0].hint
  }

  /** Messages by field. Errors that belong to no field are left out. */
  get fields(): Record<string, string> {
    const fields: Record<string, string> = {}
    for (const { field, message, hint } of this.errors) {
      if (field) fields[field] ??= hint ? `${message} ${hint}` : message
    }
    return fields
  }

  static from(error: unknown): ApiFailure {
    if (error instanceof ApiFailure) return error
    return new ApiFailure(0, [
      { code: 'E_OFFLINE', message: t('failure.offline'), hint: t('failure.offlineHint') },
    ])
  }
}

type Query = Record<string, string | number | undefined>

function xsrfToken(): string {
  const cookie = document.cookie.split('; ').find((entry) => entry.startsWith('XSRF-TOKEN='))
  return cookie ? decodeURIComponent(cookie.slice('XSRF-TOKEN='.length)) : ''
}

async function toFailure(response: Response): Promise<ApiFailure> {
  const retryAfter = Number(response.headers.get('retry-after'))
  const body = await response.json().catch(() => null)
  const errors: ApiError[] = Array.isArray(body?.errors) ? body.errors : []
  /** A wrong password is a 401 too. */
  if (errors[0]?.code === 'E_NOT_SIGNED_IN') sessionEnded.value = true
  return new ApiFailure(response.status, errors, retryAfter > 0 ? retryAfter : null)
}

/** How far Mosaic's clock is ahead of this browser's, in milliseconds. */
let ahead = 0

/** Returns the time by Mosaic's clock, in milliseconds, as late as a second. */
export const serverNow = () => Date.now() + ahead

function takeTime(headers: Headers) {
  const told = Date.parse(headers.get('date') ?? '')
  if (told) ahead = told - Date.now()
}

/**
 * A part of a path that leads out of it. Ids may come from an agent or a link, and the browser would follow such
 * a part to another address of the API, with the session of the user.
 */
const LEADS_AWAY = /[/\\](?:\.|%2e){1,2}(?=[/\\?#]|$)/i

async function send(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  /** The failure code that has just been remedied, if this is a retry. */
  after?: string
): Promise<Response> {
  if (LEADS_AWAY.test(path)) {
    throw new ApiFailure(404, [{ code: 'E_NOT_FOUND', message: t('failure.nothingThere') }])
  }
  const headers: Record<string, string> = { accept: 'application/json' }
  if (method !== 'GET') headers['x-xsrf-token'] = xsrfToken()
  if (body !== undefined) headers['content-type'] = 'application/json'

  const response = await fetch(path, {
    method,
    headers,
    credentials: 'same-origin',
    /** A deletion outlives the page that asked for it. */
    keepalive: method === 'DELETE',
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  }).catch((error) => {
    if (signal?.aborted) throw error
    throw ApiFailure.from(error)
  })
  takeTime(response.headers)
  if (response.ok) return response
  const failure = await toFailure(response)
  if (failure.code === after || !(await isMended(failure))) throw failure
  return send(method, path, body, signal, failure.code)
}

/** Returns whether the refused request may be retried. */
async function isMended({ code }: ApiFailure): Promise<boolean> {
  if (code === 'E_CONFIRMATION_NEEDED') return askForConfirmation()
  if (code !== 'E_BAD_CSRF_TOKEN') return false
  /** The page is older than its session: any request that is still signed in renews the token. */
  await api.get('/me')
  return true
}

async function call<Data>(method: string, path: string, body?: unknown): Promise<Data> {
  const response = await send(method, `/api/v1${path}`, body)
  if (response.status === 204) return undefined as Data
  return (await answerOf<{ data?: Data }>(response)).data as Data
}

/** A proxy before Mosaic may answer with a page of its own. */
async function answerOf<Answer>(response: Response): Promise<Answer> {
  const answer = await response.json().catch(() => null)
  if (answer === null) throw new ApiFailure(response.status, [])
  return answer
}

function withQuery(path: string, query?: Query): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  if (!entries.length) return path
  return `${path}?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)]))}`
}

/** Client for `/api/v1`. Every method throws `ApiFailure` and nothing else. */
export const api = {
  get: <Data>(path: string, query?: Query) => call<Data>('GET', withQuery(path, query)),
  post: <Data>(path: string, body: unknown = {}) => call<Data>('POST', path, body),
  put: <Data>(path: string, body: unknown) => call<Data>('PUT', path, body),
  patch: <Data>(path: string, body: unknown) => call<Data>('PATCH', path, body),
  delete: <Data = void>(path: string) => call<Data>('DELETE', path),

  async file(path: string, query?: Query): Promise<Blob> {
    const response = await send('GET', `/api/v1${withQuery(path, query)}`)
    return response.blob()
  },

  /** Returns one page of a list, with its `meta`. */
  async list<Item>(path: string, query?: Query): Promise<Listed<Item>> {
    const response = await send('GET', `/api/v1${withQuery(path, query)}`)
    const { data = [], meta } = await answerOf<Partial<Listed<Item>>>(response)
    const whole = { total: data.length, page: 1, limit: data.length, totalPages: 1 }
    return { data, meta: meta ?? whole }
  },
}

/** Longest silence of an event stream in milliseconds. Mosaic sends a heartbeat after 15 seconds. */
const SILENCE_MS = 45_000

export interface ServerEvent {
  event: string
  data: any
}

/**
 * Posts a request and yields the events of the response. Throws an `ApiFailure`, also if the connection
 * breaks or falls silent, or the `AbortError` of `signal`. Calls `onOpen` with the headers when the response starts.
 */
export const postForEvents = (
  path: string,
  body: unknown,
  signal: AbortSignal,
  onOpen?: (headers: Headers) => void
) => eventsOf(send('POST', `/api/v1${path}`, body, signal), signal, onOpen)

/** As `postForEvents`, for events already under way. */
export const getEvents = (path: string, signal: AbortSignal) =>
  eventsOf(send('GET', `/api/v1${path}`, undefined, signal), signal)

async function* eventsOf(
  sent: Promise<Response>,
  signal: AbortSignal,
  onOpen?: (headers: Headers) => void
): AsyncGenerator<ServerEvent> {
  const response = await sent
  onOpen?.(response.headers)
  const arrived: ServerEvent[] = []
  const parser = createParser({
    onEvent({ event, data }) {
      arrived.push({ event: event ?? 'message', data: JSON.parse(data) })
    },
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const { done, value } = await soon(reader.read())
      if (done) return
      parser.feed(value)
      yield* arrived.splice(0)
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw ApiFailure.from(error)
  } finally {
    void reader.cancel().catch(() => {})
  }
}

/** A connection may die without a word. Rejects after `SILENCE_MS`. */
async function soon<Value>(awaited: Promise<Value>): Promise<Value> {
  const silence = Promise.withResolvers<never>()
  const timer = setTimeout(() => silence.reject(new Error('silence')), SILENCE_MS)
  return Promise.race([awaited, silence.promise]).finally(() => clearTimeout(timer))
}
