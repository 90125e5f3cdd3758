/** Time spent is measured by the monotonic clock; the wall clock only dates things. */

const TICK_MS = 1000;
/** A longer gap than this between two ticks was sleep or a frozen page: no work of the interview. */
const GAP_MS = 2 * TICK_MS;

export interface Ticking {
  /** Time since the last call, without sleep. */
  take(): number;
  stop(): void;
}

export interface Sources {
  readonly mono: () => number;
  readonly every: (work: () => void, ms: number) => () => void;
  readonly paused?: (gapMs: number) => void;
}

const browser: Sources = {
  mono: () => performance.now(),
  every: (work, ms) => {
    const timer = setInterval(work, ms);
    return () => clearInterval(timer);
  },
};

export function startTicking(sources: Partial<Sources> = {}): Ticking {
  const { mono, every, paused } = { ...browser, ...sources };
  let last = mono();
  let sum = 0;
  const tick = (): void => {
    const gap = mono() - last;
    last += gap;
    if (gap <= GAP_MS) sum += gap;
    else paused?.(gap);
  };
  const stop = every(tick, TICK_MS);
  return {
    take: () => {
      tick();
      const taken = sum;
      sum = 0;
      return taken;
    },
    stop,
  };
}
