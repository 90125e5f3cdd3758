import type { Position } from './types';

/** Looks for the best position for up to a minute. Nothing ever waits for it. */
const SEARCH_MS = 60_000;

export function watchPlace(found: (position: Position) => void): () => void {
  if (!('geolocation' in navigator)) return () => undefined;
  let best = Number.POSITIVE_INFINITY;
  const keep = ({ coords }: GeolocationPosition): void => {
    if (coords.accuracy >= best) return;
    best = coords.accuracy;
    // Raw WGS-84: a converted position cannot be converted back.
    found({ lat: coords.latitude, lon: coords.longitude, accuracy: coords.accuracy });
  };
  const watch = navigator.geolocation.watchPosition(keep, () => undefined, { enableHighAccuracy: true, timeout: SEARCH_MS });
  const stop = (): void => navigator.geolocation.clearWatch(watch);
  const timer = setTimeout(stop, SEARCH_MS);
  return () => {
    clearTimeout(timer);
    stop();
  };
}
