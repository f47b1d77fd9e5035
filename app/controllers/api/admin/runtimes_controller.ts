import app from '@adonisjs/core/services/app'

/** `/api/v1/admin/runtimes`: which drivers there are, which is used, and what is wrong with it. */
export default class AdminRuntimesController {
  async index() {
    const runtimes = await app.container.make('runtime.manager')
    const settings = await app.container.make('settings')
    const inUse = await settings.get('runtime.driver')
    const data = await Promise.all(
      runtimes.names().map(async (name) => ({
        name,
        inUse: name === inUse,
        findings: name === inUse ? await runtimes.preflight(name) : null,
      }))
    )
    return { data }
  }
}
