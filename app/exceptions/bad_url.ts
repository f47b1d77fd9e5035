import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerBody } from '#exceptions/answer_body'
import { isApiPath } from '#exceptions/answer_form'
import type { Answer } from '#exceptions/api_errors'
import { ANSWER_HEADERS } from '#http/answer_headers'

const BAD_URL: Answer = {
  status: 400,
  errors: [
    {
      code: 'E_BAD_REQUEST',
      message: 'The address cannot be read.',
      hint: 'Encode special characters of its parts as UTF-8: "%" itself is %25.',
    },
  ],
}

/** Answers a URL with malformed percent-encoding, which the framework gives to no middleware or route. */
export function answerBadUrl({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const [path] = url.split('?')
  const isJson = isApiPath(path)
  const body = isJson ? JSON.stringify(answerBody(path, BAD_URL)) : BAD_URL.errors[0].message
  const type = isJson ? 'application/json' : 'text/plain'
  response
    .writeHead(BAD_URL.status, { ...ANSWER_HEADERS, 'Content-Type': `${type}; charset=utf-8` })
    .end(body)
}
