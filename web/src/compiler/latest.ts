// Work of which only the newest counts: one job runs at a time, and of those asked for meanwhile the last one follows.

export class Latest {
  #running = false;
  #next: (() => Promise<void>) | null = null;

  get running(): boolean {
    return this.#running;
  }

  run(job: () => Promise<void>): void {
    this.#next = job;
    if (!this.#running) void this.#work();
  }

  async #work(): Promise<void> {
    this.#running = true;
    try {
      while (this.#next) {
        const job = this.#next;
        this.#next = null;
        await job();
      }
    } finally {
      this.#running = false;
    }
  }
}
