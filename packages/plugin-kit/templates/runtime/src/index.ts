import type { RuntimeDriverFactory } from '@mosaic/plugin-kit/runtime'
import { AcmeDriver, type AcmeConfig } from './driver.ts'

export { AcmeDriver, type AcmeConfig }

/** For `config/runtime.ts`, where options are needed: `drivers: { …, 'acme': createAcme({ … }) }`. */
export function createAcme(config: AcmeConfig = {}): RuntimeDriverFactory {
  return (context) => new AcmeDriver(config, context)
}

declare module '@mosaic/plugin-kit/runtime' {
  interface RuntimeDrivers {
    acme: true
  }
}
