/**
 * npm, TypeScript, Vite and others have Node load compiled code from a folder of a known name in the folder
 * for temporary files. Whoever made that first, an agent perhaps, would have its code run by what is started
 * here, often as root. So nothing that is started here uses it; a folder that somebody chose stays in use.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {NodeJS.ProcessEnv}
 */
export function withoutSharedCache(env = process.env) {
  return env.NODE_COMPILE_CACHE ? env : { ...env, NODE_DISABLE_COMPILE_CACHE: '1' }
}
