import { onBeforeUnmount, ref, type Ref } from 'vue';
import { access, latestRun, mapOf, newestRun, Problem, releaseOf, resultsOf, runOf, seriesOf } from '../api/client';
import type { MapFile, Release, Results, Run, Series } from '../api/types';
import { writePercentsWith } from './format';
import { markReleased } from './release';

export type View =
  | { kind: 'loading' }
  | { kind: 'running'; run: Run }
  | { kind: 'failed'; run: Run }
  | { kind: 'empty' }
  | { kind: 'problem'; problem: Problem }
  | { kind: 'ready'; run: Run; results: Results; series: Series | null; map: MapFile | null; release: Release | null };

const WAITING_MS = 2000;
const EMPTY_MS = 5000;

const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem('server'));

/** Before the first run has succeeded: what became of the newest one, as far as the asker may know. */
async function withoutResults(): Promise<View> {
  const run = await newestRun().catch(() => null);
  if (run?.state === 'queued' || run?.state === 'running') return { kind: 'running', run };
  if (run?.state === 'failed' || run?.state === 'cancelled') return { kind: 'failed', run };
  return { kind: 'empty' };
}

/** The run that the address names, as a report's code does; else the latest. */
const namedRun = (): string | null => new URLSearchParams(window.location.search).get('run');

/** What a page shows beside the results. */
export interface Beside {
  series?: boolean;
  map?: boolean;
}

async function look(beside: Beside): Promise<View> {
  let run: Run;
  const named = namedRun();
  try {
    run = named === null ? await latestRun() : await runOf(named);
  } catch (error) {
    const problem = asProblem(error);
    return problem.kind === 'missing' && named === null ? withoutResults() : { kind: 'problem', problem };
  }
  try {
    const [results, series, map] = await Promise.all([
      resultsOf(run.id),
      beside.series ? seriesOf(run.id) : null,
      // Numbers without their map are still the numbers.
      beside.map ? mapOf(run.id).catch(() => null) : null,
    ]);
    // Whoever reads every cell sees what becomes of it for everybody.
    const release = results.release || access.token() === null ? null : await releaseOf(run.id).catch(() => null);
    if (release) markReleased(results, release);
    writePercentsWith(series?.percent_decimals ?? results.release?.percent_decimals);
    return { kind: 'ready', run, results, series, map, release };
  } catch (error) {
    return { kind: 'problem', problem: asProblem(error) };
  }
}

/** How long until it is worth asking again by itself; `null` when only the reader can change something. */
function pauseMs(view: View): number | null {
  if (view.kind === 'running') return WAITING_MS;
  return view.kind === 'empty' ? EMPTY_MS : null;
}

/** The latest run's results, with the waves before it and the map where they are wanted; asked for again by itself until there are some. */
export function useResults(beside: Beside = {}): { view: Ref<View>; load: () => Promise<void> } {
  const view = ref<View>({ kind: 'loading' }) as Ref<View>;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;

  async function refresh(): Promise<void> {
    const next = await look(beside);
    if (gone) return;
    view.value = next;
    const pause = pauseMs(next);
    if (pause !== null) timer = setTimeout(refresh, pause);
  }

  async function load(): Promise<void> {
    clearTimeout(timer);
    view.value = { kind: 'loading' };
    await refresh();
  }

  onBeforeUnmount(() => {
    gone = true;
    clearTimeout(timer);
  });
  return { view, load };
}
