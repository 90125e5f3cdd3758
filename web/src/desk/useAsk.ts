import { onBeforeUnmount, ref, watch, type Ref } from 'vue';
import { asProblem, type Problem } from './api';

export type Asked<T> = { kind: 'loading' } | { kind: 'ready'; value: T } | { kind: 'problem'; problem: Problem };

/**
 * What a page shows, asked for when it opens and whenever `key` changes. Asking again keeps what is there in sight, so that
 * nothing jumps; an answer that another one overtook is dropped.
 */
export function useAsk<T>(ask: () => Promise<T>, key: () => unknown = () => null): { asked: Ref<Asked<T>>; again: () => Promise<void> } {
  const asked = ref({ kind: 'loading' }) as Ref<Asked<T>>;
  let turn = 0;
  async function again(): Promise<void> {
    const mine = ++turn;
    if (asked.value.kind === 'problem') asked.value = { kind: 'loading' };
    const next: Asked<T> = await ask().then(
      (value) => ({ kind: 'ready', value }) as const,
      (error: unknown) => ({ kind: 'problem', problem: asProblem(error) }) as const,
    );
    if (mine === turn) asked.value = next;
  }
  watch(
    key,
    () => {
      asked.value = { kind: 'loading' };
      void again();
    },
    { immediate: true },
  );
  onBeforeUnmount(() => {
    turn = -1;
  });
  return { asked, again };
}
