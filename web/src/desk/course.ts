import type { DistrictRow, Progress } from './types';

/** A district is behind when its 完成率 lies this far below that of the whole. */
export const BEHIND_MIN = 0.05;
const DAY_MS = 86_400_000;

export interface Course {
  /** The share of the field work's days that have passed; 0 before it, 1 after it. */
  passed: number;
  /** Where the work is behind, the farthest first. */
  behind: DistrictRow[];
}

const midnight = (iso: string): number => Date.parse(`${iso}T00:00:00+08:00`);

export function passedShare(from: string, to: string, now: number): number {
  const begin = midnight(from);
  const end = midnight(to) + DAY_MS;
  return Math.min(1, Math.max(0, (now - begin) / (end - begin)));
}

/** Are we on course, and where not? Districts are held against the whole: what all have in common is no district's fault. */
export function courseOf(progress: Progress): Course {
  const whole = progress.whole.completion;
  const behind = progress.districts
    .filter((row) => row.completion !== null && whole !== null && row.completion < whole - BEHIND_MIN)
    .toSorted((a, b) => (a.completion ?? 0) - (b.completion ?? 0) || (a.district ?? '').localeCompare(b.district ?? ''));
  return { passed: passedShare(progress.fieldwork_from, progress.fieldwork_to, progress.as_of_ms), behind };
}
