// What becomes of each cell in the release, for those who read all of them.

import type { Release, Results } from '../api/types';

/** Names cells as the server does: the table and the levels of its variables. */
export function markReleased(results: Results, release: Release): void {
  for (const table of results.tables)
    for (const row of table.rows) {
      const said = release.cells[[table.id, ...table.by.map((variable) => row.domain[variable] ?? '')].join('/')];
      if (said !== undefined) row.released_as = said;
    }
}
