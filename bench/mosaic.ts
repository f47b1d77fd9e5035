import { Child } from './child.js'
import { newInstallation, type Installation } from './environment.js'

/** What the bench knows of the Mosaic that it started. */
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

/** When the steps of a wake were, as `now` of `clock.ts` tells it. */
export interface WakeDurations {
  asked: number
  /** The driver was told to start an instance, and had started it. */
  driverFrom: number
  driverTo: number
  answered: number
}

/** How `ensureRunning` does on a running agent. */
export interface EnsureFigures {
  microseconds: number
  queries: number
}

/** A real web process of production, with a database of its own, whose agents all are one double. */
export class Mosaic {
  private constructor(
    readonly child: Child<MosaicFacts>,
    readonly installation: Installation
  ) {}

  /** With `real` agents are OpenClaw in processes, else each is the gateway double and runs already. */
  static async start(gatewayUrl: string, agents: 'double' | 'real' = 'double'): Promise<Mosaic> {
    const own = await newInstallation()
    try {
      const child = await Child.start<MosaicFacts>('mosaic', {
        args: [gatewayUrl, agents],
        env: own.env,
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
