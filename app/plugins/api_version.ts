/** Version of the plugin contracts in this Mosaic; plugins declare theirs as `mosaic.apiVersion`. */
export const PLUGIN_API_VERSION = 1
