// The only file that touches ECharts at run time; loaded when a page has a chart to draw.

import { CustomChart } from 'echarts/charts';
import { AriaComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type EChartsCoreOption, type EChartsType } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { mapLayout, type MapSpec } from './map';
import { mapOption } from './mapOption';
import { measure } from './measure';
import { columns, intervalOption } from './option';
import { heightPx, type IntervalSpec } from './spec';

use([CustomChart, GridComponent, TooltipComponent, AriaComponent, SVGRenderer]);

const PRINT_PX = 660;

export type ChartSpec = IntervalSpec | MapSpec;

export interface DrawnChart {
  update: (spec: ChartSpec, readAloud: string) => void;
  svg: () => { text: string; width: number; height: number };
  dispose: () => void;
}

const isMap = (spec: ChartSpec): spec is MapSpec => 'cells' in spec;

const heightOf = (spec: ChartSpec, width: number): number =>
  isMap(spec) ? mapLayout(spec, width, measure).height : heightPx(spec, columns(spec, width, measure).stacked);

const optionOf = (spec: ChartSpec, width: number, readAloud: string): EChartsCoreOption =>
  isMap(spec) ? mapOption(spec, width, measure, readAloud) : intervalOption(spec, width, measure, readAloud);

/**
 * Draws into `place` and follows its width; print gets a width that fits the paper. `onHeight` hears the height whenever it is
 * settled: names that go above their rows make a chart higher.
 */
export function drawChart(place: HTMLElement, first: ChartSpec, firstText: string, onHeight: (px: number) => void): DrawnChart {
  const chart: EChartsType = init(place, null, { renderer: 'svg', width: place.clientWidth, height: heightOf(first, place.clientWidth) });
  let spec: ChartSpec = first;
  let readAloud = firstText;

  const fit = (width: number): void => {
    if (width <= 0) return;
    const height = heightOf(spec, width);
    onHeight(height);
    chart.resize({ width, height });
    chart.setOption(optionOf(spec, width, readAloud), { notMerge: true });
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
