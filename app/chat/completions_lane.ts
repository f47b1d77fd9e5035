import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { toAnswer } from '#exceptions/api_errors'
import { toOpenAiError } from '#exceptions/openai_error'
import type { AccessTokens } from '#identity/access_tokens'
import type { UserLimits } from '#identity/user_limits'
import { E_INVALID_TOKEN } from '#identity/errors'
import type { OpenAiChat } from '#chat/openai_chat'
import type { Report } from '#chat/report'

const PATH = '/v1/chat/completions'
const BEARER = /^bearer +(\S+)$/i

export interface LaneServices {
  tokens: Pick<AccessTokens, 'identify'>
  limits: Pick<UserLimits, 'request' | 'stream'>
  chat: Pick<OpenAiChat, 'answer'>
  report: Report
}

/**
 * Answers `POST /v1/chat/completions` ahead of the framework, whose routing, context, container and logger
 * cost as much per request as the whole relay. Like the declared route, which still answers other spellings
 * of the path, it accepts an access token and nothing else.
 */
export function withCompletionsLane(
  handler: RequestListener,
  services: () => LaneServices | Promise<LaneServices>
): RequestListener {
  return (request, response) => {
    if (request.url !== PATH || request.method !== 'POST') return handler(request, response)
    void answer(services(), request, response)
  }
}

async function answer(
  services: LaneServices | Promise<LaneServices>,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const requestId = randomUUID()
  let report: Report = () => {}
  try {
    const made = services instanceof Promise ? await services : services
    const { tokens, limits, chat } = made
    report = made.report
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
    const holder = token && (await tokens.identify(token))
    if (!holder) throw new E_INVALID_TOKEN()
    const { userId, userNamesConversation: byUser } = holder
    await limits.request(userId)
    limits.stream(userId, response)
    await chat.answer({ agent: `user/${userId}`, request, response, requestId, byUser })
  } catch (error) {
    report(error)
    const told = toAnswer(error)
    response.setHeader('content-type', 'application/json; charset=utf-8')
    /** Do not wait for the rest of a body that arrives too slowly. */
    if (told.status === 408) response.setHeader('connection', 'close')
    response.setHeader('x-request-id', requestId)
    if (told.retryAfterSec) response.setHeader('retry-after', told.retryAfterSec)
    response.writeHead(told.status).end(JSON.stringify(toOpenAiError(told)))
  }
}
