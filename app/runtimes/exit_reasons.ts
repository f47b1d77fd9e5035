import { constants } from 'node:os'
import type { FailureReason } from '#runtimes/errors'

/** The known facts about an instance's end. */
export interface InstanceExit {
  /** Null if unknown. */
  code: number | null
  outOfMemory: boolean
  failure: { reason: FailureReason; message: string } | null
}

/** OpenClaw's exit code when it rejects its document. */
const CONFIG_REJECTED = 78

/** Exit codes of `docker/agent/entrypoint.sh`, the launcher. */
const LAUNCHER: Record<number, { reason: FailureReason; message: string }> = {
  65: { reason: 'no_provider', message: 'Its owner has no provider that it could use.' },
  69: { reason: 'image_missing', message: 'The launcher found no OpenClaw.' },
  75: { reason: 'internal', message: 'The launcher did not reach Mosaic on its internal address.' },
  77: { reason: 'internal', message: 'Mosaic refused the token of the agent.' },
}

/**
 * Explains why an instance ended without a stop request.
 *
 * @param killedForMemory whether the kernel killed a process for lack of memory meanwhile
 * @param lastLines the end of its log
 */
export function explainExit(
  { code, signal }: { code: number | null; signal: NodeJS.Signals | null },
  killedForMemory: boolean,
  lastLines: string[]
): InstanceExit {
  const exitCode = code ?? (signal ? 128 + constants.signals[signal] : null)
  const text = lastLines.join('\n')
  const outOfMemory =
    (signal === 'SIGKILL' && killedForMemory) || /JavaScript heap out of memory/.test(text)
  return { code: exitCode, outOfMemory, failure: explain(exitCode, signal, outOfMemory, text) }
}

function explain(
  code: number | null,
  signal: NodeJS.Signals | null,
  outOfMemory: boolean,
  text: string
): InstanceExit['failure'] {
  if (outOfMemory) return { reason: 'out_of_memory', message: 'It ran out of memory.' }
  if (code !== null && LAUNCHER[code]) return LAUNCHER[code]
  if (code === CONFIG_REJECTED) {
    return { reason: 'config_rejected', message: 'OpenClaw did not accept its document.' }
  }
  if (/\bENOSPC\b|No space left on device/.test(text)) {
    return { reason: 'no_capacity', message: 'The disk is full.' }
  }
  if (signal) return { reason: 'exited_early', message: `It was ended by ${signal}.` }
  if (code === null) return { reason: 'exited_early', message: 'It ended, and nobody saw how.' }
  return { reason: 'exited_early', message: `It ended with exit code ${code}.` }
}
