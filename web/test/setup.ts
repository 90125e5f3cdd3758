// The two browser stores that the modules read when they load.

class Memory {
  private kept = new Map<string, string>();
  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value);
  }
  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

Object.assign(globalThis, { localStorage: new Memory(), sessionStorage: new Memory() });
