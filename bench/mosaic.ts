import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Child } from './child.js'
import { newInstallation, type Installation } from './environment.js'
import { SERVER_FLAGS } from '../bin/server_flags.mjs'

/** Facts about the Mosaic that the bench started. */
export interface MosaicFacts {
  url: string
  internalUrl: string
  userId: string
  /** An access token of the user. */
  accessToken: string
  /** The gateway token of the user's agent. */
  gatewayToken: string
  providerId: string
  /** Name of the agent's instance. */
  instance: string
}

/** Times of a wake's steps, by `now` of `clock.ts`. */
export interface WakeDurations {
  asked: number
  /** When the driver was told to start an instance; `driverTo` is when it had started it. */
  driverFrom: number
  driverTo: number
  answered: number
}

/** Results of `ensureRunning` on a running agent. */
export interface EnsureFigures {
  microseconds: number
  queries: number
}

/** A real production web process with its own database, whose agents all share one double. */
export class Mosaic {
  private constructor(
    readonly child: Child<MosaicFacts>,
    readonly installation: Installation
  ) {}

  /**
   * With `real`, agents are OpenClaw in processes; otherwise each is the gateway double and already runs. With
   * a `build`, a folder made by `compile`, it runs compiled, as in production: a loader's heap costs the
   * collector time.
   */
  static async start(
    gatewayUrl: string,
    agents: 'double' | 'real' = 'double',
    build?: string
  ): Promise<Mosaic> {
    const own = await newInstallation()
    const compiled = build && pathToFileURL(join(build, 'bench/processes/mosaic.js'))
    try {
      const child = await Child.start<MosaicFacts>(compiled || 'mosaic', {
        args: [gatewayUrl, agents],
        env: own.env,
        flags: SERVER_FLAGS,
      })
      return new Mosaic(child, own)
    } catch (error) {
      own.remove()
      throw error
    }
  }

  get facts(): MosaicFacts {
    return this.child.ready
  }

  async stop(): Promise<void> {
    await this.child.stop()
    this.installation.remove()
  }
}
