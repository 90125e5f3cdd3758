import { onBeforeUnmount, ref, type Ref } from 'vue';
import { latestRun, Problem, resultsOf } from '../api/client';
import type { Results, Run } from '../api/types';

export type View =
  | { kind: 'loading' }
  | { kind: 'running'; run: Run }
  | { kind: 'failed'; run: Run }
  | { kind: 'empty' }
  | { kind: 'problem'; problem: Problem }
  | { kind: 'ready'; run: Run; results: Results };

const WAITING = new Set(['queued', 'running']);
const POLL_MS = 2000;

const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem('server'));

async function look(): Promise<View> {
  let run: Run;
  try {
    run = await latestRun();
  } catch (error) {
    const problem = asProblem(error);
    return problem.kind === 'missing' ? { kind: 'empty' } : { kind: 'problem', problem };
  }
  if (WAITING.has(run.state)) return { kind: 'running', run };
  if (run.state === 'failed') return { kind: 'failed', run };
  try {
    return { kind: 'ready', run, results: await resultsOf(run.id) };
  } catch (error) {
    return { kind: 'problem', problem: asProblem(error) };
  }
}

/** The latest run's results, asked for again by itself while the run is still computing. */
export function useResults(): { view: Ref<View>; load: () => Promise<void> } {
  const view = ref<View>({ kind: 'loading' }) as Ref<View>;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;

  async function refresh(): Promise<void> {
    const next = await look();
    if (gone) return;
    view.value = next;
    if (next.kind === 'running') timer = setTimeout(refresh, POLL_MS);
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
