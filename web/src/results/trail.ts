// The way from a number to the interviews behind it, for those whom the server lets see persons.

import { computed, inject, onMounted, provide, ref, type InjectionKey } from 'vue';
import { filesOf } from '../api/client';
import type { Row, Table } from '../api/types';

/** Gives the address of the interviews behind a cell; `null` for whoever may not see them. */
export type CellLink = (table: string, cell: string) => string | null;

const KEY: InjectionKey<CellLink> = Symbol('trail');

/** One row a person stands there: who may read it may see who stands behind a cell. */
const PERSONS_FILE = 'responses_weighted.csv';

/** The cell of a table that has one only. */
export const WHOLE = 'all';

/** A cell's name in an address: its levels in the table's order. */
export function cellName(table: Pick<Table, 'by'>, row: Pick<Row, 'domain'>): string {
  const levels = table.by.map((variable) => row.domain[variable] ?? '');
  return levels.length === 0 ? WHOLE : levels.join(',');
}

/** Called by a page that shows a run. Asking for the list of files is no fault for anybody. */
export function provideTrail(run: string): void {
  const may = ref(false);
  onMounted(async () => {
    const files = await filesOf(run).catch(() => []);
    may.value = files.some((file) => file.name === PERSONS_FILE);
  });
  const link = computed<CellLink>(() => (table, cell) =>
    may.value ? `/desk/#/trail/${[run, table, cell].map(encodeURIComponent).join('/')}` : null,
  );
  provide(KEY, (table, cell) => link.value(table, cell));
}

export const useTrail = (): CellLink => inject(KEY, () => null);
