import { defineConfig, services } from '#identity/services/define_config'

/**
 * The sign-in services besides single sign-on, in the order in which pages offer them. Each is off
 * until an admin configures it under Administration → Sign-in.
 */
const signInConfig = defineConfig({
  services: {
    github: services.github(),
    gitlab: services.gitlab(),
    google: services.google(),
    microsoft: services.microsoft(),
    discord: services.discord(),
  },
})

export default signInConfig
