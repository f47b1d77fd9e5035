/**
 * npm, TypeScript, Vite and others make Node load compiled code from a folder with a known name in the
 * temporary folder. A user who creates it first, such as an agent, could run code in the processes started here,
 * often as root. So these processes do not use it, unless someone has chosen a folder.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutSharedCache(env = process.env) {
  return env.NODE_COMPILE_CACHE ? env : { ...env, NODE_DISABLE_COMPILE_CACHE: '1' }
}
