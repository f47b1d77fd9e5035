import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from '@japa/runner'
import { ResponseFactory } from '@adonisjs/core/factories/http'
import { cookieName, rewriteCookies } from '#identity/response_cookies'

function newResponse() {
  const res = new ServerResponse(new IncomingMessage(new Socket()))
  const response = new ResponseFactory().merge({ res }).create()
  response.append('set-cookie', 'one=1; Path=/')
  response.append('set-cookie', 'other=2')
  return { response, res }
}

test.group('Cookies of a response', () => {
  test('are rewritten or dropped', ({ assert }) => {
    const { response } = newResponse()
    rewriteCookies(response, (cookie) =>
      cookieName(cookie) === 'one' ? `${cookie}; Secure` : null
    )
    assert.deepEqual([response.getHeader('set-cookie')].flat(), ['one=1; Path=/; Secure'])
  })

  test('stay as they are once a stream has sent the headers without them', ({ assert }) => {
    const { response, res } = newResponse()
    res.writeHead(200)
    assert.doesNotThrow(() => rewriteCookies(response, () => null))
  })
})
