import { defineConfig, drivers } from '#runtimes/define_config'

/** Where agents run. Which driver new instances are made with is the setting `runtime.driver`. */
const runtimeConfig = defineConfig({
  default: 'memory',
  drivers: {
    memory: drivers.memory(),
  },
})

export default runtimeConfig

declare module '#runtimes/manager' {
  interface RuntimeDrivers {
    memory: true
  }
}
