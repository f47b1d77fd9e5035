/** The version of the contracts that this Mosaic offers, which a plugin names as `mosaic.apiVersion`. */
export const PLUGIN_API_VERSION = 1
