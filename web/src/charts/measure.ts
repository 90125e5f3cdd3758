// How wide a text is in a chart's font; needed before a chart is drawn, so that its height is known and nothing jumps.

export const CHART_FONT = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif";

export type Measure = (text: string) => number;

let ruler: CanvasRenderingContext2D | null | undefined;

export function measure(text: string): number {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * 13;
  ruler.font = `13px ${CHART_FONT}`;
  return ruler.measureText(text).width;
}
