import type { RuntimeDriverFactory } from '@mosaic/plugin-kit/runtime'
import { AcmeDriver } from './driver.ts'

export { AcmeDriver }
export { OPTIONS, type Options } from './options.ts'

export function createAcme(): RuntimeDriverFactory {
  return (context) => new AcmeDriver(context)
}

declare module '@mosaic/plugin-kit/runtime' {
  interface RuntimeDrivers {
    acme: true
  }
}
