/** Marks of browsers and systems. Many user agents also name other browsers, so the more specific marks come first. */
const BROWSERS: [RegExp, string][] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac OS X'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
]

/** Shortens a user agent to what tells two browsers apart. */
export function deviceName(agent: string): string {
  const named = [BROWSERS, SYSTEMS].flatMap((marks) => {
    const [, name] = marks.find(([mark]) => mark.test(agent)) ?? []
    return name ?? []
  })
  return named.join(' · ') || agent.slice(0, 40)
}
