/**
 * Words that make OpenClaw 2026.9.6 classify an error as one of the key, the account, a limit or the network,
 * whatever its status. It then disables the whole provider, or waits, although only the call was wrong.
 * Derived from OpenClaw's own pattern tables, but broader.
 */
const MISREAD =
  /authenticat|unauthori|forbidden|denied|permission|credential|expired|invalid[ _]token|api[ _-]?key|scope|deactivated|revoked|disabled|not allowed|\b40[123]\b|\b429\b|payment|billing|credit|balance|budget|quota|spend|subscription|extra usage|usage limit|current plan|rate[ _]limit|too many|throttl|exhaust|tokens per|\btpm\b|overload|capacity|unavailable|high demand|high load|server[ _]error|internal[ _]error|bad gateway|upstream|time[d ]?[ _]?out|deadline|connection|network|fetch failed|socket|aborted|\be(?:conn|net|host|pipe|addr)|request failed|[\u4e00-\u9fff]/i

/** Returns whether OpenClaw would misclassify these words, so that they must not reach the agent. */
export function isMisread(words: string): boolean {
  return MISREAD.test(words)
}
