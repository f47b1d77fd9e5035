import type { ApplicationService } from '@adonisjs/core/types'
import { tellFailedCommits } from '#models/failed_commits'

/** Makes failed commits reject. */
export default class DatabaseProvider {
  constructor(protected app: ApplicationService) {}

  boot() {
    tellFailedCommits()
  }
}
