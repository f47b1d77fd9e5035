import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { RouterFactory } from '@adonisjs/core/factories/http'

const noop = () => {}
class Things {}
const ThingsController = async () => ({ default: Things })

const makeRouter = () => new RouterFactory().merge({ app }).create()

test.group('Access rules', () => {
  test('stand in the meta of the stored route', ({ assert }) => {
    const router = makeRouter()
    router.get('/a', noop).access('signedIn')
    router.post('/b', noop).access('onboarding').withoutCsrf()
    router.get('/c', noop)
    router.commit()
    const meta = (method: string, path: string) => router.match(path, method, true)!.route.meta
    assert.containsSubset(meta('GET', '/a'), { access: 'signedIn' })
    assert.containsSubset(meta('POST', '/b'), { access: 'onboarding', csrf: false })
    assert.isUndefined(meta('GET', '/c').access)
  })

  test('of a group hold for its routes, but for those with a rule of their own', ({ assert }) => {
    const router = makeRouter()
    router
      .group(() => {
        router.get('/plain', noop)
        router.get('/open', noop).access('anyone')
        router.on('/brisk').redirectToPath('/plain')
        router.resource('things', ThingsController).only(['index'])
        router.group(() => router.get('/inner', noop)).access('token')
        router.post('/proof', noop).withoutCsrf()
      })
      .permission('manageUsers')
    router.resource('others', ThingsController).only(['show']).access('signedIn')
    router.commit()

    const rules = Object.fromEntries(
      Object.values(router.toJSON())
        .flat()
        .map(({ pattern, meta }) => [pattern, meta.access])
    )
    assert.deepEqual(rules, {
      '/plain': 'permitted',
      '/open': 'anyone',
      '/brisk': 'permitted',
      '/things': 'permitted',
      '/inner': 'token',
      '/proof': 'permitted',
      '/others/:id': 'signedIn',
    })
  })
})
