import type { ConnectionFailure, ConnectionTest, LlmModel, TestOptions } from '#llm/contract'
import { E_BLOCKED_ADDRESS } from '#llm/errors'
import { readText } from '#bounded/body'
import { parseJson } from '#bounded/json'
import { hasCode } from '#drivers/error_code'

/**
 * The longest known model list is about two million bytes, as is an answer with many vectors. The call has its own
 * deadline.
 */
const ANSWER = { what: 'The answer of the service', maxBytes: 8_000_000 }

/** A service did not answer correctly. `message` is for a person and contains nothing of the response. */
export class ServiceFailure extends Error {
  readonly code = 'E_LLM_SERVICE'

  constructor(
    readonly reason: ConnectionFailure,
    message: string
  ) {
    super(message)
  }
}

function isServiceFailure(error: unknown): error is ServiceFailure {
  return hasCode(error, 'E_LLM_SERVICE')
}

/** Calls the service and returns its JSON. Throws ServiceFailure for anything else. */
export type Ask = (url: string, init?: RequestInit) => Promise<unknown>

export interface LabelledTestOptions extends TestOptions {
  /** The service's display name. */
  label: string
  now?: () => number
}

/**
 * Runs a connection test and turns any failure into a result. Throws only if `signal` aborts for another reason
 * than a timeout; it then throws that reason.
 */
export async function testConnection(
  { now = () => performance.now(), ...options }: LabelledTestOptions,
  run: (ask: Ask) => Promise<LlmModel[]>
): Promise<ConnectionTest> {
  const startedAt = now()
  const outcome = await askService(options, run)
  const latencyMs = Math.round(now() - startedAt)
  return outcome.ok
    ? { ok: true, latencyMs, models: outcome.value }
    : { ...outcome, latencyMs, models: [] }
}

/** The result of calls to a service: what they found, or why they failed. */
export type Outcome<Value> =
  { ok: true; value: Value } | { ok: false; reason: ConnectionFailure; message: string }

/**
 * Calls a service and turns any failure into a result. Throws only if `signal` aborts for another reason than a
 * timeout; it then throws that reason.
 */
export async function askService<Value>(
  { label, fetch, signal }: LabelledTestOptions,
  run: (ask: Ask) => Promise<Value>
): Promise<Outcome<Value>> {
  const ask: Ask = async (url, init) => {
    const response = await fetch(url, { ...init, signal })
    if (!response.ok) {
      await response.body?.cancel()
      throw refusal(label, response.status)
    }
    return readJson(label, response, signal)
  }

  try {
    return { ok: true, value: await run(ask) }
  } catch (error) {
    if (signal.aborted && (signal.reason as Error)?.name !== 'TimeoutError') throw signal.reason
    const { reason, message } = asFailure(label, error)
    return { ok: false, reason, message }
  }
}

/**
 * Lists the models. If the service has no list, completes one token with a declared model and returns the
 * declared ones.
 */
export async function listOrComplete(steps: {
  declared: LlmModel[]
  list: () => Promise<LlmModel[]>
  complete: (modelId: string) => Promise<void>
}): Promise<LlmModel[]> {
  try {
    return await steps.list()
  } catch (error) {
    const hasNoList = isServiceFailure(error) && error.reason === 'not_found'
    if (!hasNoList || steps.declared.length === 0) throw error
  }
  await steps.complete(steps.declared[0].id)
  return steps.declared
}

/** The failure for a malformed response. */
export function badAnswer(label: string): ServiceFailure {
  return new ServiceFailure(
    'bad_response',
    `What answers at this address is not ${label}, or speaks another language. Check the address.`
  )
}

/** POST options for a JSON body. */
export function jsonPost(headers: Headers, body: unknown): RequestInit {
  const withType = new Headers(headers)
  withType.set('content-type', 'application/json')
  return { method: 'POST', headers: withType, body: JSON.stringify(body) }
}

function refusal(label: string, status: number): ServiceFailure {
  if (status === 401 || status === 403) {
    return new ServiceFailure(
      'unauthorized',
      `${label} does not accept the key. Check that it is complete, still valid and allowed to use models.`
    )
  }
  if (status === 404 || status === 405 || status === 501) {
    return new ServiceFailure(
      'not_found',
      `There is a server at this address, but ${label} is not under this path, or does not know the model.`
    )
  }
  if (status === 429 || status === 402) {
    return new ServiceFailure(
      'rate_limited',
      `${label} refuses more requests for now: there were too many, or the credit is used up.`
    )
  }
  if (status >= 300 && status < 400) {
    return new ServiceFailure(
      'bad_response',
      `${label} sends on to another address, which Mosaic does not follow. Enter the final address.`
    )
  }
  return new ServiceFailure('bad_response', `${label} answered with an error (status ${status}).`)
}

async function readJson(label: string, response: Response, signal: AbortSignal): Promise<unknown> {
  try {
    return parseJson(await readText(response.body, { ...ANSWER, signal }))
  } catch (error) {
    const isAnswer = error instanceof SyntaxError || hasCode(error, 'E_INPUT_TOO_LARGE')
    throw isAnswer ? badAnswer(label) : error
  }
}

const TIMEOUTS = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

function asFailure(label: string, error: unknown): ServiceFailure {
  if (isServiceFailure(error)) return error
  if (hasCode(error, 'E_BLOCKED_ADDRESS')) {
    return new ServiceFailure('blocked_address', `${error.message} ${E_BLOCKED_ADDRESS.help}`)
  }
  const code = codeOf(error)
  if ((error as Error)?.name === 'TimeoutError' || TIMEOUTS.has(code)) {
    return new ServiceFailure(
      'timeout',
      `${label} did not answer in time. Check the address, or try again later.`
    )
  }
  if (code === 'HTTPParserError' || code.startsWith('HPE_')) return badAnswer(label)
  if (/CERT|SSL|TLS|SELF_SIGNED|LEAF_SIGNATURE/.test(code)) {
    return new ServiceFailure(
      'unreachable',
      `${label} was reached, but no secure connection came about: its certificate is not trusted, or the address should begin with http://.`
    )
  }
  return new ServiceFailure(
    'unreachable',
    `${label} cannot be reached. Check the address, and that the service runs.`
  )
}

/** Returns the error code from anywhere in the chain of causes. */
function codeOf(error: unknown): string {
  for (let link: any = error; link; link = link.cause) {
    if (typeof link.code === 'string') return link.code
    /** Undici does not always set its code. */
    if (link.name === 'HTTPParserError') return link.name
  }
  return ''
}
