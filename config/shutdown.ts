import env from '#start/env'

/** From SIGTERM to the end of the process: first the notice, then the drain. */
const shutdownConfig = {
  /**
   * How long Mosaic still accepts new work while `/health/ready` says that it stops, in milliseconds: load
   * balancers need until their next check to send it elsewhere.
   */
  noticeMs: (env.get('SHUTDOWN_NOTICE_SEC') ?? 0) * 1000,
  /** How long answers in progress, and models' answers to agents, may still take, in milliseconds. */
  drainMs: (env.get('SHUTDOWN_DRAIN_SEC') ?? 5) * 1000,
}

export default shutdownConfig
