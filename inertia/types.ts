import type { Data } from '@generated/data'

/** Props of every page: see `app/middleware/inertia_middleware.ts`. */
declare module '@inertiajs/core' {
  interface InertiaConfig {
    sharedPageProps: Data.SharedProps
  }
}

export type SharedProps = Data.SharedProps
