/** Whether a release is below the least one that may start anything new: numbers between dots, one by one. */
export function isOlder(release: string, least: string): boolean {
  const numbers = (text: string): number[] => text.split('.').map(Number);
  const [mine, needed] = [numbers(release), numbers(least)];
  for (let at = 0; at < Math.max(mine.length, needed.length); at += 1) {
    const step = (mine[at] ?? 0) - (needed[at] ?? 0);
    if (step !== 0) return !(step > 0);
  }
  return false;
}
