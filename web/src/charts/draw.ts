// The only file that touches ECharts at run time; loaded when a page has a chart to draw.

import { CustomChart } from 'echarts/charts';
import { AriaComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { CHART_FONT, columns, intervalOption } from './option';
import { heightPx, type IntervalSpec } from './spec';

use([CustomChart, GridComponent, TooltipComponent, AriaComponent, SVGRenderer]);

const PRINT_PX = 660;

const ruler = document.createElement('canvas').getContext('2d');

function measure(text: string): number {
  if (!ruler) return text.length * 13;
  ruler.font = `13px ${CHART_FONT}`;
  return ruler.measureText(text).width;
}

export interface DrawnChart {
  update: (spec: IntervalSpec, readAloud: string) => void;
  svg: () => { text: string; width: number; height: number };
  dispose: () => void;
}

/**
 * Draws into `place` and follows its width; print gets a width that fits the paper. `onHeight` hears the height whenever it is
 * settled: names that go above their rows make a chart higher.
 */
export function drawChart(place: HTMLElement, first: IntervalSpec, firstText: string, onHeight: (px: number) => void): DrawnChart {
  const chart: EChartsType = init(place, null, { renderer: 'svg', width: place.clientWidth, height: heightPx(first) });
  let spec = first;
  let readAloud = firstText;

  const fit = (width: number): void => {
    if (width <= 0) return;
    const height = heightPx(spec, columns(spec, width, measure).stacked);
    onHeight(height);
    chart.resize({ width, height });
    chart.setOption(intervalOption(spec, width, measure, readAloud), { notMerge: true });
  };
  const watch = new ResizeObserver(() => fit(place.clientWidth));
  const beforePrint = (): void => fit(Math.min(place.clientWidth, PRINT_PX));
  const afterPrint = (): void => fit(place.clientWidth);
  watch.observe(place);
  addEventListener('beforeprint', beforePrint);
  addEventListener('afterprint', afterPrint);
  fit(place.clientWidth);

  return {
    update(next, text) {
      spec = next;
      readAloud = text;
      fit(place.clientWidth);
    },
    svg: () => ({ text: chart.renderToSVGString(), width: chart.getWidth(), height: chart.getHeight() }),
    dispose() {
      watch.disconnect();
      removeEventListener('beforeprint', beforePrint);
      removeEventListener('afterprint', afterPrint);
      chart.dispose();
    },
  };
}
