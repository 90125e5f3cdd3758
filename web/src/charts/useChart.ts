import { onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue';
import type { ChartSpec, DrawnChart } from './draw';

/**
 * A chart that lives as long as its component: drawn once the library is there, and again whenever its content changes.
 * `expected` is the height it will have in so many pixels' width, for the time until then.
 */
export function useChart(
  place: Readonly<Ref<HTMLElement | null>>,
  spec: () => ChartSpec,
  readAloud: Readonly<Ref<string>>,
  expected: (width: number) => number,
): { height: Ref<number>; svg: () => ReturnType<DrawnChart['svg']> | null } {
  const height = ref(expected(0));
  let chart: DrawnChart | null = null;
  let gone = false;

  onMounted(async () => {
    height.value = expected(place.value?.clientWidth ?? 0);
    const { drawChart } = await import('./draw');
    if (gone || !place.value) return;
    chart = drawChart(place.value, spec(), readAloud.value, (px) => {
      height.value = px;
    });
  });
  watch([spec, readAloud], ([next, text]) => chart?.update(next, text), { flush: 'post' });
  onBeforeUnmount(() => {
    gone = true;
    chart?.dispose();
  });
  return { height, svg: () => chart?.svg() ?? null };
}
