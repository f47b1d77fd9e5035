/**
 * Exports for plugins of every kind. The contracts are in `./runtime`, `./llm`, `./vault` and `./sign-in`.
 */

export { PLUGIN_API_VERSION as API_VERSION } from '../../../app/plugins/api_version.js'

export type { InferDrivers } from '../../../app/drivers/define_config.js'
export type { DriverFactory, DriversConfig } from '../../../app/drivers/driver_manager.js'

/** Bounded readers for output of agents and services. */
export {
  pieces,
  readBeginning,
  readBytes,
  readJson,
  readText,
  type Input,
  type InputLimits,
} from '../../../app/bounded/body.js'
export { readLines, type LineLimits } from '../../../app/bounded/lines.js'
export { readFileEnd, readSmallFile, type FileLimits } from '../../../app/bounded/file.js'
export { E_INPUT_TOO_LARGE, E_INPUT_TOO_SLOW } from '../../../app/bounded/errors.js'
