import settings from '#settings/services/main'

/** Setup of a group: lets Mosaic call services of this machine until the group ends. */
export async function allowLoopback() {
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  return () => settings.set('network.allowedRanges', [])
}
