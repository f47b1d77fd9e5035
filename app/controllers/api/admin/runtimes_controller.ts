import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { listed } from '#models/page'
import type { RuntimeFinding } from '#runtimes/contract'
import { toFinding } from '#console/findings'
import { pageValidator } from '#validators/identity'

/** `/api/v1/admin/runtimes`: the drivers, the one in use, and each one's findings. */
export default class AdminRuntimesController {
  async index({ request }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const runtimes = await app.container.make('runtime.manager')
    const settings = await app.container.make('settings')
    const inUse = await settings.get('runtime.driver')
    const plugins = new Set(runtimes.extensions())
    const data = await Promise.all(
      runtimes.names().map(async (name) => {
        const driver = await runtimes.use(name)
        const findings = await runtimes.preflight(name).catch(checkFailed)
        const isBuiltIn = !plugins.has(name)
        return {
          name,
          label: driver.label ?? null,
          description: driver.description ?? null,
          inUse: name === inUse,
          usable: findings.every(({ severity }) => severity !== 'error'),
          isolation: driver.capabilities.isolation,
          limits: driver.capabilities.limits,
          /** Whether agents can move to and from this driver with their data. */
          movesData: Boolean(driver.exportData && driver.importData),
          findings: findings.map(({ severity, code, message, hint, link }) => ({
            severity,
            code,
            message,
            hint,
            link: isBuiltIn ? `/docs/runtimes#${code}` : readable(link),
          })),
        }
      })
    )
    return listed(data, query)
  }
}

/** A driver that cannot be checked must not hide the others. */
const checkFailed = (error: unknown): RuntimeFinding[] => [
  { code: 'check_failed', ...toFinding(error) },
]

/** A plugin may link anywhere, but never to a script. */
function readable(link: string | undefined): string | null {
  return link?.startsWith('https://') && URL.canParse(link) ? link : null
}
