import { CodedError } from '#drivers/contract_error'

/** The named package or folder is not a Mosaic plugin. */
export class E_NOT_A_PLUGIN extends CodedError {
  static override status = 422
  static override help =
    'A plugin names the version of the contracts in its package.json: "mosaic": { "apiVersion": 1 }. See docs/plugin_guide.md.'

  constructor(name: string, fault: string, options?: ErrorOptions) {
    super(`"${name}" is no plugin of Mosaic: ${fault}`, options)
  }
}

/** The plugin targets another version of the contracts. */
export class E_PLUGIN_API_VERSION extends CodedError {
  static override status = 422

  constructor(name: string, apiVersion: unknown, ours: number) {
    super(
      `The plugin "${name}" is made for version ${String(apiVersion)} of the plugin API, and this Mosaic has version ${ours}.`
    )
    this.help =
      Number(apiVersion) > ours
        ? `Upgrade Mosaic, or install a version of "${name}" for version ${ours}.`
        : `Install a version of "${name}" for version ${ours}.`
  }
}

/** The plugin's provider file is missing, usually because it was never built. */
export class E_PLUGIN_WITHOUT_PROVIDER extends CodedError {
  static override status = 422
  static override help =
    'Build the plugin first. "mosaic.provider" in its package.json, or the export "./provider", names the file.'

  constructor(name: string, file: string) {
    super(`The plugin "${name}" lacks the file of its provider: ${file}`)
  }
}

/** The list of plugins names a package that is not in the folder. */
export class E_PLUGIN_NOT_INSTALLED extends CodedError {
  static override status = 404

  constructor(name: string, help: string) {
    super(`The plugin "${name}" is not installed.`)
    this.help = help
  }
}

/** The plugin threw, or did not end in time, while it was imported or Mosaic booted. */
export class E_PLUGIN_FAILED extends CodedError {
  static override status = 500
  static override help =
    'Install another version of it, or ask its author; the cause is in the log.'

  constructor(name: string, cause: unknown) {
    super(`The plugin "${name}" failed: ${(cause as Error)?.message ?? String(cause)}`, { cause })
  }
}

/**
 * The manifest declares a name that the provider never registered, usually because one of them is misspelt.
 */
export class E_PLUGIN_NOT_REGISTERED extends CodedError {
  static override status = 500

  /**
   * @param declared by its kind, as in `mosaic.adapters`
   * @param undeclared contributions that plugins registered and no manifest names
   */
  constructor(name: string, declared: [kind: string, names: string[]], undeclared: string[]) {
    const [kind, names] = declared
    super(`${name} declares ${names.join(', ')} (${kind}), which it does not register.`)
    const found =
      undeclared.length > 0 ? ` Registered, but not declared: ${undeclared.join(', ')}.` : ''
    this.help = `Correct "mosaic.${kind}" in its package.json, or the name in its provider, and install it again.${found}`
  }
}

/**
 * Existing rows need the plugin: without it agents would not start, providers not answer, secrets not open.
 */
export class E_PLUGIN_IN_USE extends CodedError {
  static override status = 409

  constructor(
    name: string,
    readonly uses: { message: string; hint: string }[]
  ) {
    super(`The plugin "${name}" is in use: ${uses.map(({ message }) => message).join(' ')}`)
    this.help = uses.map(({ hint }) => hint).join(' ')
  }
}

/** npm failed. Its own output is in the message. */
export class E_PLUGIN_NPM extends CodedError {
  static override status = 502
  static override help =
    'Check the name, the network and the disk, then try again: nothing was changed.'

  constructor(task: string, said: string, options?: ErrorOptions) {
    super(`npm could not ${task}: ${said}`, options)
  }
}

/** The plugins folder is not writable. */
export class E_PLUGINS_FOLDER extends CodedError {
  static override status = 500
  static override help =
    'Run the command as the user who owns the folder. In a container it is part of the image: add the plugin in the repository and build the image again.'

  constructor(folder: string, options?: ErrorOptions) {
    super(`The folder of plugins cannot be written: ${folder}`, options)
  }
}

/** The list of plugins is no JSON, as after a full disk, or cannot be read. */
export class E_PLUGINS_LIST extends CodedError {
  static override status = 500

  constructor(file: string, options?: ErrorOptions) {
    super(`The list of plugins cannot be read: ${file}`, options)
    this.help = `Restore it from ${file}.before, if that is there, or from a backup. With neither, move it away and add each plugin again: "packages" beside it has their tarballs.`
  }
}

/** The vault cannot be created, so nobody knows which secrets it sealed. */
export class E_PLUGIN_USES_UNKNOWN extends CodedError {
  static override status = 503

  constructor(vault: string, cause: Error & { help?: string }) {
    super(
      `Cannot tell whether secrets need the vault "${vault}", so nothing was removed. ${cause.message}`,
      { cause }
    )
    this.help = cause.help ?? 'Give the vault its settings again, then try again.'
  }
}
