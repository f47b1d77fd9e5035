import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import SignInService from '#models/sign_in_service'
import { createGuardedFetch } from '#llm/guarded_fetch'
import { LoopbackService } from '#tests/contracts/loopback_service'
import { NameServer } from '#tests/doubles/name_server'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'
import { FORGED_ADDRESSES } from '#tests/security/forged_addresses'
import { adminByToken, adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

/** Listens on every address of this machine, and must never be called. */
class Bait {
  readonly #server: Server = createServer((socket) => {
    this.visits++
    socket.destroy()
  })
  visits = 0

  static async start(): Promise<Bait> {
    const bait = new Bait()
    bait.#server.listen(0, '::')
    await once(bait.#server, 'listening')
    return bait
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
  }
}

/** Whether the response refuses the address, rather than reports what was found there. */
type Judge = (url: string) => Promise<boolean>

const provider = (baseUrl: string) => ({
  type: 'custom',
  name: 'work',
  displayName: 'Work',
  baseUrl,
  apiKey: 'canary-key',
  models: [{ id: 'test-model', name: 'Test' }],
})

/** Every place where users can enter an address that Mosaic calls later. */
const PLACES: Record<string, () => Promise<Judge>> = {
  'the connection test of a provider': async () => {
    const { visitor } = await adminByToken()
    return async (url) => {
      const { status, body } = await visitor.post('/api/v1/providers/test', provider(url))
      return status === 422 || body.data?.reason === 'blocked_address'
    }
  },

  'the connection test of a stored provider': async () => {
    const { admin, visitor } = await adminByToken()
    return async (url) => {
      const row = await providerOf(admin.id, { name: 'work', type: 'custom', baseUrl: url }, 'key')
      const { body } = await visitor.post(`/api/v1/providers/${row.id}/test`)
      await row.delete()
      return body.data?.reason === 'blocked_address'
    }
  },

  'a model call of an agent': async () => {
    const { user, token } = await agentOfSomeone()
    return async (url) => {
      const row = await providerOf(user.id, { name: 'work', type: 'custom', baseUrl: url }, 'key')
      const answer = await fetch(`${internalUrl()}/api/internal/llm/${row.id}/chat/completions`, {
        method: 'POST',
        body: '{"model":"test-model"}',
        headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      })
      await row.delete()
      const text = await answer.text()
      return answer.status === 404 && text.includes('a network that Mosaic does not call')
    }
  },

  'the issuer of single sign-on': async () => {
    const { visitor } = await adminSession()
    return async (issuerUrl) => {
      const client = { issuerUrl, clientId: 'mosaic', clientSecret: 'a secret' }
      const { status } = await visitor.send('PUT', '/api/v1/admin/auth/oidc', client)
      return status === 422
    }
  },

  'the issuer, set past the form, at a sign-in': async () => {
    const { visitor } = await adminSession()
    return async (url) => {
      await visitor.patch('/api/v1/admin/settings', {
        'oidc.issuerUrl': url,
        'oidc.clientId': 'mosaic',
        'oidc.clientSecret': 'a secret',
      })
      const sent = await new Visitor().get('/auth/oidc/start')
      return sent.headers.get('location') === '/login'
    }
  },

  'the server of a service to sign in with': async () => {
    const { visitor } = await adminSession()
    return async (address) => {
      const statuses = await Promise.all(
        ['github', 'gitlab'].map(async (name) => {
          const client = { clientId: 'mosaic', clientSecret: 'a secret', address }
          const rest = { signUp: 'anyone', isProof: false, isActive: true }
          const path = `/api/v1/admin/auth/services/${name}`
          return (await visitor.send('PUT', path, { ...client, ...rest })).status
        })
      )
      return statuses.every((status) => status === 422)
    }
  },

  'the server of a service, stored past the form, at a sign-in': async () => {
    const row = new SignInService()
    row.merge({ name: 'gitlab', clientId: 'mosaic', signUp: 'anyone', isActive: true })
    await row.seal('clientSecret', 'a secret')
    return async (address) => {
      await row.merge({ address }).save()
      const sent = await new Visitor().get('/auth/gitlab/start')
      return sent.headers.get('location') === '/login'
    }
  },

  'the issuer of the set-up': async () => {
    const { admin } = await adminByToken()
    const step = await app.container.make('onboarding.auth')
    return async (issuerUrl) => {
      const client = { issuerUrl, clientId: 'mosaic', clientSecret: 'a secret' }
      const failure = await step.store(client, { user: admin, address: null }).catch((e) => e)
      return failure?.status === 422
    }
  },
}

test.group('Addresses that people type', (group) => {
  let bait: Bait

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('network.allowedRanges', [])
    bait = await Bait.start()
    return () => bait.close()
  })

  test('there are at least eighty of them', ({ assert }) => {
    assert.isAtLeast(new Set(FORGED_ADDRESSES).size, 80)
  })

  for (const [place, prepare] of Object.entries(PLACES)) {
    test(`lead nowhere in ${place}`, async ({ assert }) => {
      const isRefused = await prepare()
      const passed: string[] = []
      for (const address of FORGED_ADDRESSES) {
        const url = address.replace('{port}', String(bait.port))
        if (!(await isRefused(url))) passed.push(address)
      }
      assert.deepEqual(passed, [])
      assert.equal(bait.visits, 0)
    })
  }

  test('are refused too where a provider of identity names them in its own document', async ({
    assert,
    cleanup,
  }) => {
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    const { visitor } = await adminSession()
    for (const target of ['http://169.254.169.254/keys', 'http://10.0.0.1/keys', 'file:///keys']) {
      const issuer: LoopbackService = await LoopbackService.start(() => ({
        status: 200,
        json: {
          issuer: issuer.url,
          authorization_endpoint: `${issuer.url}/authorize`,
          token_endpoint: target,
          jwks_uri: target,
        },
      }))
      cleanup(() => issuer.close())
      const client = { issuerUrl: issuer.url, clientId: 'mosaic', clientSecret: 'a secret' }
      await visitor.send('PUT', '/api/v1/admin/auth/oidc', client)
      const { status, body } = await visitor.post('/api/v1/admin/auth/oidc/test')
      assert.equal(status, 422, JSON.stringify(body))
      assert.deepEqual(
        issuer.received.map(({ url }) => url).filter((url) => !url.startsWith('/.well-known')),
        []
      )
    }
  })

  test('lead nowhere by a redirect', async ({ assert, cleanup }) => {
    await settings.set('network.allowedRanges', ['127.0.0.1/32'])
    const service = await LoopbackService.start(() => ({
      status: 302,
      json: {},
      headers: { location: `http://127.0.0.2:${bait.port}/secret` },
    }))
    cleanup(() => service.close())
    const { visitor } = await adminSession()
    const tested = await visitor.post('/api/v1/providers/test', provider(service.url))
    assert.isFalse(tested.body.data.ok)
    const issuer = { issuerUrl: service.url, clientId: 'mosaic', clientSecret: 'a secret' }
    assert.equal((await visitor.send('PUT', '/api/v1/admin/auth/oidc', issuer)).status, 422)
    assert.isAbove(service.received.length, 1)
    assert.equal(bait.visits, 0)
  })

  test('lead nowhere by a name that changes its answer', async ({ assert, cleanup }) => {
    const names = await NameServer.start()
    cleanup(() => names.close())
    const service = await LoopbackService.start(() => ({
      status: 200,
      json: { ok: true },
      headers: { connection: 'close' },
    }))
    cleanup(() => service.close())

    const shut = createGuardedFetch({ allowedRanges: [], resolve: names.resolve })
    for (const hidden of ['127.0.0.1', '169.254.169.254', '10.0.0.1']) {
      names.say(hidden)
      await assert.rejects(() => shut(`http://rebinding.example:${bait.port}/`), /does not call/)
    }
    /** The name is good when checked and bad on a second lookup, which must not happen. */
    const open = createGuardedFetch({ allowedRanges: ['127.0.0.1/32'], resolve: names.resolve })
    const before = names.questions
    names.say('127.0.0.1', '169.254.169.254')
    const answer = await open(`http://rebinding.example:${service.port}/`)
    assert.deepEqual(await answer.json(), { ok: true })
    assert.equal(names.questions, before + 1)
    await assert.rejects(() => open(`http://rebinding.example:${service.port}/`), /does not call/)
    assert.equal(bait.visits, 0)
  })
})
