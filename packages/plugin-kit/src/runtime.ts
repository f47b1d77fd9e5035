/** Contract of a runtime driver, its errors, and helpers to start OpenClaw. */
export * from '../../../app/runtimes/contract.js'
export * from '../../../app/runtimes/errors.js'
export * from '../../../app/runtimes/define_config.js'
export * from '../../../app/runtimes/options.js'
export * from '../../../app/runtimes/launch.js'
export * from '../../../app/runtimes/exit_reasons.js'
export * from '../../../app/runtimes/event_feed.js'
export * from '../../../app/runtimes/keyed_queue.js'

/** Declare your driver's name in `RuntimeDrivers`, and `use` accepts it. */
export * from '../../../app/runtimes/manager.js'

declare module '../../../app/runtimes/manager.js' {
  interface RuntimeDrivers {
    process: true
    docker: true
    swarm: true
  }
}
