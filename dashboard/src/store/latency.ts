// Percentiles out of the controller's latency histogram, whose buckets are powers of two of microseconds. Pure.

// What happened between two looks; empty where the counters went back, as after a change of controller.
export function difference(later: readonly number[], earlier: readonly number[]): number[] {
  if (later.length !== earlier.length) return [];
  const counts = later.map((value, i) => value - (earlier[i] ?? 0));
  return counts.some((value) => value < 0) ? [] : counts;
}

// In seconds, interpolated within the bucket where the share falls; undefined without tasks.
export function percentile(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, value) => sum + value, 0);
  if (total === 0) return undefined;
  let left = total * share;
  for (let i = 0; i < counts.length; ++i) {
    const here = counts[i] ?? 0;
    if (here > 0 && left <= here) {
      const upper = 2 ** i * 1e-6;
      const lower = i === 0 ? 0 : upper / 2;
      return lower + ((upper - lower) * left) / here;
    }
    left -= here;
  }
  return 2 ** (counts.length - 1) * 1e-6;
}
