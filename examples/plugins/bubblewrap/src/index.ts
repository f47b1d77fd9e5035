import type { RuntimeDriverFactory } from '@mosaic/plugin-kit/runtime'
import { BubblewrapDriver } from './driver.ts'

export { BubblewrapDriver }
export { OPTIONS } from './options.ts'

export function createBubblewrap(): RuntimeDriverFactory {
  return (context) => new BubblewrapDriver(context)
}

declare module '@mosaic/plugin-kit/runtime' {
  interface RuntimeDrivers {
    bubblewrap: true
  }
}
