/**
 * Words by which OpenClaw 2026.9.6 takes an error for one of the key, the account, a limit or the network,
 * whatever its status is. It then turns the whole provider off, or waits, where the call alone was wrong.
 * From its own tables of patterns, and wider than they are.
 */
const MISREAD =
  /authenticat|unauthori|forbidden|denied|permission|credential|expired|invalid[ _]token|api[ _-]?key|scope|deactivated|revoked|disabled|not allowed|\b40[123]\b|\b429\b|payment|billing|credit|balance|budget|quota|spend|subscription|extra usage|usage limit|current plan|rate[ _]limit|too many|throttl|exhaust|tokens per|\btpm\b|overload|capacity|unavailable|high demand|high load|server[ _]error|internal[ _]error|bad gateway|upstream|time[d ]?[ _]?out|deadline|connection|network|fetch failed|socket|aborted|\be(?:conn|net|host|pipe|addr)|request failed|[\u4e00-\u9fff]/i

/** Whether a service's words may go on to an agent as they are. */
export function isMisread(words: string): boolean {
  return MISREAD.test(words)
}
